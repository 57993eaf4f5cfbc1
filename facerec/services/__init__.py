"""The use cases of faces. `enrolment` and `attempts` are the web's side, `work_enrolment` and
`work_attempts` the worker's.

The web's side loads neither torch nor dlib; the worker's does, through the runtime.
"""
