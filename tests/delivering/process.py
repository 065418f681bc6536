"""A connector process as the command line starts it: failpoints armed, broken promises as exit status."""

import os
import sys

from connectors import channel_process
from connectors.contacts import process as contacts_process
from connectors.settings import ChannelSettings, ContactsSettings
from schemas import failpoints
from schemas.errors import ExitError
from schemas.vocabulary import Channel


def main() -> None:
    """Run `channel` or `contacts`, as the first argument says."""
    failpoints.arm(os.environ.get("PERENNIAL_FAILPOINTS", ""))
    try:
        if sys.argv[1] == "channel":
            channel_process.run(Channel.EMAIL, ChannelSettings())
        else:
            contacts_process.run(ContactsSettings())
    except ExitError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.code.status)


if __name__ == "__main__":
    main()
