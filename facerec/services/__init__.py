"""The use cases of faces. `enrolment`, `attempts` and `liveness` are the web's side,
`work_enrolment`, `work_attempts` and `work_liveness` the worker's.

The web's side loads neither torch nor dlib; the worker's does, through the runtime.
"""
