"""The Hugging Face Hub: files sent and fetched whole, every call under one policy."""

from semasia.hub.files import LocalFile
from semasia.hub.push import Pushed, push, withdraw
from semasia.hub.reading import SCHEME, Repository
from semasia.hub.remote import KIND, Head, RemoteFile, head_of
from semasia.hub.retrying import Retrying

__all__ = [
    "KIND",
    "SCHEME",
    "Head",
    "LocalFile",
    "Pushed",
    "RemoteFile",
    "Repository",
    "Retrying",
    "head_of",
    "push",
    "withdraw",
]
