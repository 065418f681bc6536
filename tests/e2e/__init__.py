"""The whole system by its command line, judged by the providers' inboxes."""
