"""The use cases of faces. `enrolment` and `attempts` are the web's side, `work` the worker's.

The web's side loads neither torch nor dlib; `work` does, through the runtime.
"""
