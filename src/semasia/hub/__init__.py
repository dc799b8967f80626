"""The Hugging Face Hub: what is published there, and how it gets there whole."""

from semasia.hub.files import LocalFile, batches
from semasia.hub.push import Pushed, push
from semasia.hub.remote import Head, head_of
from semasia.hub.retrying import Retrying

__all__ = ["Head", "LocalFile", "Pushed", "Retrying", "batches", "head_of", "push"]
