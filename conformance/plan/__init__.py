"""What a run would do to its target, told before anything is sent: `--plan`."""
