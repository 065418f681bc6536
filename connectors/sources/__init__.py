"""One module an upstream system: its mapping and its refusal reasons, nothing else."""
