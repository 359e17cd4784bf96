"""What the image contains and how it runs.

The offline builder uses these constants; a test compares them with the
Dockerfile, so that both ways give the same image.
"""

from __future__ import annotations

TAG = "kiro-swarm:dev"

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "git", "openssh-client", "python3")
PYTHON_VERSION = "3.11"
REQUIREMENTS = "requirements/runtime-py311.txt"

USER = "kiro"
USER_ID = 65532
HOME = "/home/kiro"

# A virtual environment of our own: agents that run the image's python3 do not see our
# packages, and nothing that an agent sets or installs changes what kiro-swarm imports.
PREFIX = "/opt/kiro-swarm"
SITE_PACKAGES = f"{PREFIX}/lib/python{PYTHON_VERSION}/site-packages"
COMMAND = "/usr/local/bin/kiro-swarm"
COMMAND_SOURCE = "hack/lib/image/kiro-swarm"

ENTRYPOINT = ("kiro-swarm",)
WORKING_DIRECTORY = "/"
ENVIRONMENT = {
    "HOME": HOME,
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
}
