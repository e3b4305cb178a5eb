"""Finding out how a target speaks: its profile, and how sure each line of it is."""
