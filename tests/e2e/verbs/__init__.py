"""Every operator verb against its fault: run twice, the worker killed in between, judged by inbox and `explain`."""
