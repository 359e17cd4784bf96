"""What hosts of git say, as they say it: the reason, what to do, and whether waiting helps."""

from __future__ import annotations

import pytest

from kiro_swarm.workspace.answers import explain
from kiro_swarm.workspace.refusals import refusal

URL = "https://git.example/a.git"
AGAIN = "this is tried again"
BY_SSH = "fatal: Could not read from remote repository."
ACCESS = f"fatal: unable to access '{URL}/': "
RETURNED = f"{ACCESS}The requested URL returned error: "
#: By whom, what git shows of it, the reason, a word of the advice, and whether waiting helps.
SAID = (
    ("GitHub", f"remote: Repository not found.\nfatal: repository '{URL}/' not found",
     "RemoteUnavailable", "credentials may see", False),
    ("GitHub", f"ERROR: Repository not found.\n{BY_SSH}",
     "RemoteUnavailable", "credentials may see", False),
    ("GitHub", "remote: You have exceeded a secondary rate limit. Please wait a few"
     f" minutes.\n{RETURNED}403", "RateLimited", "more often", True),
    ("GitHub", "remote: Although you appear to have the correct authorization credentials,"
     " the `o` organization has an IP allow list enabled, and your IP address is not"
     f" permitted\n{RETURNED}403", "CredentialsRefused", "on its list", False),
    ("GitHub", "remote: The 'o' organization has enabled or enforced SAML SSO. To access"
     f" this repository, visit\n{RETURNED}403", "CredentialsRefused", "single", False),
    ("GitHub", "remote: Support for password authentication was removed on August 13, 2021."
     f"\nfatal: Authentication failed for '{URL}/'", "CredentialsRefused", "token", False),
    ("GitHub", "remote: Your account is suspended. Please visit https://support.example\n"
     f"{RETURNED}403", "CredentialsRefused", "blocked", False),
    ("GitHub", "remote: This repository was archived so it is read-only.\n"
     f"{RETURNED}403", "RemoteError", "archived", False),
    ("GitHub", "remote: Access to this repository has been disabled by GitHub staff.\n"
     f"{RETURNED}403", "RemoteError", "locked", False),
    ("GitHub", f"remote: Repository unavailable due to DMCA takedown.\n{RETURNED}451",
     "RemoteError", "locked", False),
    ("GitHub", "remote: Write access to repository not granted.\n"
     f"{RETURNED}403", "CredentialsRefused", "right to push", False),
    ("GitHub", "ERROR: You're using an RSA key with SHA-1, which is no longer allowed.\n"
     f"{BY_SSH}", "CredentialsRefused", "ed25519", False),
    ("GitLab", "remote: \nremote: ERROR: The project you were looking for could not be found"
     f" or you don't have permission to view it.\n{BY_SSH}",
     "RemoteUnavailable", "credentials may see", False),
    ("GitLab", f"remote: Retry later\n{RETURNED}429", "RateLimited", "more often", True),
    ("GitLab", "remote: GitLab is undergoing maintenance. Git push is not allowed because"
     " this GitLab instance is currently in (read-only) maintenance mode.\n"
     f"{RETURNED}403", "RemoteUnavailable", "maintenance", True),
    ("GitLab", f"remote: You can't push code to an archived project.\n{RETURNED}403",
     "RemoteError", "archived", False),
    ("GitLab", f"remote: ERROR: Your SSH key has expired.\n{BY_SSH}",
     "CredentialsRefused", "new one", False),
    ("GitLab", "remote: Your password expired. Please access GitLab from a web browser to"
     f" update your password.\n{RETURNED}403", "CredentialsRefused", "password", False),
    ("GitLab", "remote: You must accept the Terms of Service in order to perform this"
     f" action.\n{RETURNED}403", "CredentialsRefused", "terms", False),
    ("GitLab", f"remote: Your account has been blocked.\n{RETURNED}403",
     "CredentialsRefused", "blocked", False),
    ("Gitea", f"Gitea: Cannot find repository team/a\n{BY_SSH}",
     "RemoteUnavailable", "credentials may see", False),
    ("Gitea", f"remote: User permission denied for writing.\n{RETURNED}403",
     "CredentialsRefused", "right to push", False),
    ("Bitbucket", f"conq: repository does not exist.\n{BY_SSH}",
     "RemoteUnavailable", "credentials may see", False),
    ("Bitbucket", f"repository access denied. access via a deployment key is read-only.\n"
     f"{BY_SSH}", "CredentialsRefused", "right to push", False),
    ("Bitbucket", f"Unauthorized\n{BY_SSH}", "CredentialsRefused", "credentials", False),
    ("Bitbucket", "remote: Bitbucket Cloud recently stopped supporting account passwords for"
     f" Git authentication.\nfatal: Authentication failed for '{URL}/'",
     "CredentialsRefused", "token", False),
    ("Azure", "remote: TF401019: The Git repository with name or identifier a does not exist"
     f" or you do not have permissions for the operation.\n{BY_SSH}",
     "RemoteUnavailable", "credentials may see", False),
    ("Azure", "remote: TF401027: You need the Git 'GenericContribute' permission to perform"
     f" this action.\n{RETURNED}403", "CredentialsRefused", "right to push", False),
    ("Azure", "remote: TF400733: The request has been canceled: Request was blocked due to"
     f" exceeding usage of resource 'Concurrency'.\n{RETURNED}403",
     "RateLimited", "more often", True),
    ("Azure", f"remote: Public key authentication failed.\n{BY_SSH}",
     "CredentialsRefused", "credentials", False),
    ("gitolite", f"FATAL: R any a bob DENIED by fallthru\n(or you mis-spelled it)\n{BY_SSH}",
     "RemoteUnavailable", "credentials may see", False),
    ("gitolite", f"FATAL: W any a bob DENIED by fallthru\n(or you mis-spelled it)\n{BY_SSH}",
     "CredentialsRefused", "right to push", False),
    ("git daemon", "fatal: remote error: access denied or repository not exported: /a.git",
     "RemoteUnavailable", "credentials may see", False),
    ("git", "remote: aborting due to possible repository corruption on the remote side.\n"
     "fatal: early EOF\nfatal: index-pack failed", "RemoteError", "git fsck", False),
    ("git", "fatal: remote error: upload-pack: not our ref 0123", "RefNotFound", "commit",
     False),
    ("git", "error: Server does not allow request for unadvertised object 0123",
     "RefNotFound", "commit", False),
    ("ssh", "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\n"
     f"Disconnected from 10.0.0.1 port 22\n{BY_SSH}",
     "CredentialsRefused", "credentials", False),
    ("ssh", "ssh: Could not resolve hostname git.example: Temporary failure in name"
     f" resolution\n{BY_SSH}", "RemoteUnavailable", "DNS", True),
    ("ssh", "ssh: Could not resolve hostname git.exmaple: Name or service not known\n"
     f"{BY_SSH}", "RemoteUnavailable", "host name is unknown", False),
    ("ssh", f"ssh: connect to host git.example port 22: No route to host\n{BY_SSH}",
     "RemoteUnavailable", "broke off", True),
    ("ssh", "kex_exchange_identification: Connection closed by remote host\n"
     f"{BY_SSH}", "RemoteUnavailable", "broke off", True),
    ("ssh", f"This account is currently not available.\n{BY_SSH}",
     "CredentialsRefused", "blocked", False),
    ("ssh", f"This service allows sftp connections only.\n{BY_SSH}", "NotGit", "no git",
     False),
    ("a proxy", f"{ACCESS}CONNECT tunnel failed, response 503",
     "RemoteUnavailable", "does not reach it", True),
    ("a proxy", f"{ACCESS}Received HTTP code 502 from proxy after CONNECT",
     "RemoteUnavailable", "does not reach it", True),
    ("a proxy", f"{ACCESS}CONNECT tunnel failed, response 403",
     "ProxyRefused", "what it allows", False),
    ("a proxy", "error: RPC failed; HTTP 411 curl 22 The requested URL returned error: 411",
     "RemoteError", "chunked", False),
    ("a proxy", f"{RETURNED}408", "RemoteUnavailable", "waited too long", True),
    ("a proxy", f"{RETURNED}504", "RemoteUnavailable", "broke off", True),
    ("http", f"{RETURNED}507", "RemoteError", "no room", False),
    ("http", f"{RETURNED}501", "NotGit", "no git server", False),
    ("curl", f"{ACCESS}Received HTTP/0.9 when not allowed", "NotGit", "no git server", False),
    ("curl", f"{ACCESS}URL rejected: Port number was not a decimal number between 0 and 65535",
     "NotGit", "no git server", False),
    ("curl", f"{ACCESS}error:0A000410:SSL routines::sslv3 alert handshake failure",
     "RemoteError", "version of TLS", False),
    ("curl", f"{ACCESS}error:0A00045C:SSL routines::tlsv13 alert certificate required",
     "RemoteError", "certificate of ours", False),
    ("curl", f"{ACCESS}OpenSSL SSL_connect: Connection reset by peer in connection to a:443",
     "RemoteUnavailable", "broke off", True),
    ("curl", "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly\n"
     "fatal: the remote end hung up unexpectedly", "RemoteUnavailable", "broke off", True),
)  # fmt: skip
#: By whom, why it refuses a branch, and a word of what to do.
REFUSED = (
    ("GitHub", "(push declined due to repository rule violations) error: GH013: Repository"
     " rule violations found. - Push cannot contain secrets", "looks like a secret"),
    ("GitHub", "(push declined due to repository rule violations) error: GH013: Repository"
     " rule violations found. - Changes must be made through a pull request.", "protected"),
    ("GitHub", "(protected branch hook declined) error: GH006: Protected branch update failed"
     " - Required status check is expected.", "protected"),
    ("GitHub", "(failure) fatal error in commit_refs", "its log"),
    ("GitHub", "(Internal Server Error)", "its log"),
    ("GitLab", "(pre-receive hook declined) GitLab: You are not allowed to push code to"
     " protected branches on this project.", "protected"),
    ("GitLab", "(pre-receive hook declined) GitLab: Internal API unreachable", "its log"),
    ("GitLab", "(pre-receive hook declined) GitLab: LFS objects are missing. Ensure LFS is"
     " properly set up or try a manual \"git lfs push --all\".", "git lfs push --all"),
    ("GitLab", "(pre-receive hook declined) GitLab: PUSH BLOCKED: Secrets detected in code"
     " changes", "looks like a secret"),
    ("GitLab", "(pre-receive hook declined) GitLab: Commit message does not follow the"
     " pattern '^JIRA'", "rules for commits"),
    ("GitLab", "(pre-receive hook declined) GitLab: Branch name does not follow the pattern"
     " '^feature/'", "rules for names of branches"),
    ("GitLab", "(pre-receive hook declined) GitLab: File name a.pem was prohibited by the"
     " pattern '.pem'", "rules for commits"),
    ("GitLab", "(pre-receive hook declined) GitLab: This repository has exceeded its size"
     " limit of 10 MB by 2 MB", "quota"),
    ("Gitea", "(pre-receive hook declined) Gitea: Not allowed to push to protected branch x",
     "protected"),
    ("Gitea", "(pre-receive hook declined) Gitea: branch x is protected from changes",
     "protected"),
    ("Bitbucket", "(pre-receive hook declined) Permission denied to update branch x.",
     "protected"),
    ("Bitbucket", "(pre-receive hook declined) Branch refs/heads/x can only be modified"
     " through pull requests.", "pull requests only"),
    ("Bitbucket", "(pre-receive hook declined) Repository is in read-only mode", "open it"),
    ("Azure", "(TF402455: Pushes to this branch are not permitted; you must use a pull request"
     " to update this branch.)", "pull requests only"),
    ("Azure", "(VS403654: The push was rejected because it contains one or more secrets.)",
     "looks like a secret"),
    ("Gerrit", "(prohibited by Gerrit: not permitted: create)", "protected"),
    ("Gerrit", "(commit 0123: missing Change-Id in message footer)", "rules for commits"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("stderr", "reason", "words", "again"),
    [row[1:] for row in SAID],
    ids=[f"{number} {row[0]}" for number, row in enumerate(SAID)],
)
def test_what_servers_say_is_told_as_what_it_means(
    stderr: str, reason: str, words: str, again: bool
) -> None:
    error = explain(URL, stderr)
    advice = error.message.partition(" (git: ")[0]
    assert (error.reason, words in advice, AGAIN in advice) == (
        reason,
        True,
        again,
    ), error.message


@pytest.mark.parametrize(
    ("text", "words"),
    [row[1:] for row in REFUSED],
    ids=[f"{number} {row[0]}" for number, row in enumerate(REFUSED)],
)
def test_a_branch_that_is_refused_has_its_advice(text: str, words: str) -> None:
    assert words in refusal(text)
    assert AGAIN not in refusal(text)
