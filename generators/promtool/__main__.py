"""`python -m promtool`."""

import sys

from promtool.cli import main

sys.exit(main())
