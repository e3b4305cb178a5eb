"""Many targets at once: each is judged by a run in a process of its own, on this machine or on Dask's workers."""
