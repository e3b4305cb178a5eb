"""Fuzzing: requests and stories that nobody has thought of, judged by what can be said of any."""
