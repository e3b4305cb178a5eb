"""From test outcomes to verdicts per requirement."""
