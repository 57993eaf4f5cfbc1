"""Volumes: NIfTI files, NumPy arrays and stacks of pictures, read, shown and given away.

`files.py` is the door; `nifti.py`, `arrays.py` and `pictures.py` open one format each as a stack of
slices (`stack.py`), which `scaling.py` brings to a bounded size slice by slice.
"""
