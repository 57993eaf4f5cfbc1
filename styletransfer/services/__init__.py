"""The use cases: `pictures`, `pieces`, `minings` and `looks` on the web's side, `work_…` on the
workers'."""
