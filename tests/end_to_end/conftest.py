"""Windows without a display, and folders of the test's own."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
