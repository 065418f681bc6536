"""A process under test that never does anything."""

import threading

if __name__ == "__main__":
    threading.Event().wait()
