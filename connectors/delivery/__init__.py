"""The delivery loop: intent, fence, call, result; one transaction a cycle."""
