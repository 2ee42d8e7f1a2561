"""``make badge``: Binder's badge for the place where this checkout was published, which only its remote tells."""

import re
import subprocess
import sys
from urllib.parse import quote

OPENS = "lab/tree/notebooks/01_quickstart.ipynb"
PROVIDERS = {"github.com": "gh", "gitlab.com": "gl"}


def badge(remote):
    """The badge in Markdown, for the address of a git remote.

    Examples
    --------
    >>> for remote in ("git@github.com:someone/clips.git", "https://gitlab.com/group/sub/clips"):
    ...     print(badge(remote).partition("](")[2])
    https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/someone/clips/HEAD?urlpath=lab/tree/notebooks/01_quickstart.ipynb)
    https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gl/group%2Fsub%2Fclips/HEAD?urlpath=lab/tree/notebooks/01_quickstart.ipynb)
    >>> badge("/srv/clips")
    Traceback (most recent call last):
    ValueError: /srv/clips is nowhere on the web: Binder needs an address such as https://github.com/OWNER/NAME
    """
    found = re.fullmatch(r"(?:https?://|ssh://)?(?:[^@/]+@)?([\w.-]+\.\w+)(?::\d+/|[:/])(.+?)(?:\.git)?/?", remote)
    if found is None:
        raise ValueError(
            f"{remote} is nowhere on the web: Binder needs an address such as https://github.com/OWNER/NAME"
        )
    host, path = found.groups()
    provider = PROVIDERS.get(host, "git")
    where = {"gh": path, "gl": quote(path, safe=""), "git": quote(f"https://{host}/{path}", safe="")}[provider]
    target = f"https://mybinder.org/v2/{provider}/{where}/HEAD?urlpath={OPENS}"
    return f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({target})"


def main():
    """The command."""
    command = ["git", "remote", "get-url", "origin"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        print(badge(sys.argv[1] if sys.argv[1:] else found.stdout.strip() or "a checkout without a remote"))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
