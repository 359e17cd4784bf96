"""KiroSwarm.spec.repository: where the code comes from, and how it is reached."""

from __future__ import annotations

from typing import Any, Optional

from pydantic import ConfigDict, Field

from kiro_swarm.api.common import Model, ObjectName, SecretReference, rules

_URL_RULES: dict[str, Any] = {
    "x-kubernetes-validations": [
        {
            "rule": "self.matches('^(https|http|ssh|file)://[^[:space:][:cntrl:]]+$')",
            "message": "must be an https:// or ssh:// address (http:// and file:// only "
            "where the operator's settings allow them); write git@host:path as "
            "ssh://git@host/path",
        },
        {
            "rule": "!self.matches('^[a-z]+://[^/]*:[^/]*@')",
            "message": "must not contain a password: put it into a Secret and name it "
            "in spec.repository.credentialsSecret",
        },
        {
            "rule": "self == oldSelf",
            "message": "is immutable: work in progress belongs to this repository. Delete "
            "this KiroSwarm and create it again for another one",
        },
    ]
}
_REF_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
_FIXED = "is immutable: delete this KiroSwarm and create it again to change it"


class CaKey(Model):
    """One key of a ConfigMap or a Secret of the same namespace."""

    name: ObjectName = Field(description="Name of the object.")
    key: str = Field(
        default="ca.crt",
        min_length=1,
        max_length=253,
        pattern=r"^[-._a-zA-Z0-9]+$",
        description="Key that holds the certificates.",
    )


class CaBundle(Model):
    """Where certificates of authorities are: exactly one of configMap and secret."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.configMap) != has(self.secret)",
                "give exactly one of configMap and secret",
            ),
        )
    )
    config_map: Optional[CaKey] = Field(default=None, description="In a ConfigMap.")
    secret: Optional[CaKey] = Field(default=None, description="In a Secret.")


class Repository(Model):
    """Where the code comes from."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.ref) == has(oldSelf.ref) && "
                "(!has(self.ref) || self.ref == oldSelf.ref)",
                f"ref {_FIXED}",
            ),
        )
    )
    url: str = Field(
        min_length=1,
        max_length=2048,
        description="Address of the git repository: https or ssh.",
        json_schema_extra=_URL_RULES,
    )
    ref: Optional[str] = Field(
        default=None,
        min_length=1,
        max_length=255,
        pattern=_REF_PATTERN,
        description="Branch, tag or commit that the work starts from. Default: the "
        "default branch of the repository.",
        json_schema_extra=rules(("!self.contains('..')", "must not contain '..'")),
    )
    credentials_secret: Optional[SecretReference] = Field(
        default=None,
        description="Secret with `username` and `password`, or `token`, or "
        "`ssh-privatekey` and `known_hosts`. Read by the prepare, integrate and sync "
        "Jobs only, anew for each connection, for this address and no other.",
    )
    ca_bundle: Optional[CaBundle] = Field(
        default=None,
        description="Certificates (PEM) of authorities that are trusted beside those of "
        "the image when the repository is reached over https.",
    )
    proxy: Optional[str] = Field(
        default=None,
        min_length=1,
        max_length=512,
        pattern=r"^https?://[A-Za-z0-9.\[\]:-]+/?$",
        description="Address of the proxy through which the repository is reached over "
        "https. Its user and password are the keys `proxy-username` and "
        "`proxy-password` of credentialsSecret.",
    )
