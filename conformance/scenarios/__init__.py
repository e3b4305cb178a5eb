"""The checks: one file per area of the catalogue, one function per requirement, named after its id."""
