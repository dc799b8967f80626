"""What the host of storage answers. Every method has the name of its route."""

from __future__ import annotations

from dataclasses import dataclass

from .accounts import Accounts
from .exchange import Answer, RefusedError, Request, byte_range
from .storage import Objects, Passes, Signatures
from .xet import Xet


@dataclass
class StorageApi:
    """Storage, which knows no accounts: it takes signed addresses and short-lived passes alone."""

    endpoint: str
    accounts: Accounts
    objects: Objects
    xet: Xet
    signatures: Signatures
    passes: Passes

    def check(self, text: str) -> None:
        """Refuse whatever carries a token of the Hub.

        Parameters
        ----------
        text : str
            Address and headers.
        """
        if self.accounts.leaked(text):
            raise RefusedError(400, "A token of the Hub was sent to the host of storage")

    def lfs_put(self, request: Request) -> Answer:
        self.signatures.check(request)
        self.objects.put([request.body], request.parts["oid"])
        return Answer(200, b"", {"ETag": f'"{request.parts["oid"]}"'})

    def lfs_part(self, request: Request) -> Answer:
        self.signatures.check(request)
        number = int(request.parts["part"])
        tag = self.objects.put_part(request.parts["oid"], number, request.body)
        return Answer(200, b"", {"ETag": tag})

    def download(self, request: Request) -> Answer:
        self.signatures.check(request)
        sha256 = request.parts["oid"]
        if not self.objects.has(sha256):
            raise RefusedError(404, f"There is no object {sha256}")
        return Answer.part(self.objects.path(sha256), request, {"ETag": f'"{sha256}"'})

    def xet_chunk(self, request: Request) -> Answer:
        self.passes.check(request, "read", "write")
        raise RefusedError(404, "No shard is known to hold that chunk")

    def xet_grant(self, request: Request) -> Answer:
        self.passes.check(request, "write")
        raise RefusedError(404, "Xorbs are uploaded directly")

    def xet_xorb(self, request: Request) -> Answer:
        self.passes.check(request, "write")
        new = self.xet.add_xorb(request.parts["oid"], request.body)
        return Answer.of({"was_inserted": new})

    def xet_shard_v2(self, request: Request) -> Answer:
        self.passes.check(request, "write")
        raise RefusedError(404, "Shards are uploaded by the first version of this")

    def xet_shard(self, request: Request) -> Answer:
        self.passes.check(request, "write")
        return Answer.of({"result": int(self.xet.add_shard(request.body))})

    def xet_reconstruction_v2(self, request: Request) -> Answer:
        self.passes.check(request, "read", "write")
        raise RefusedError(404, "Files are described by the first version of this")

    def xet_reconstruction(self, request: Request) -> Answer:
        self.passes.check(request, "read", "write")
        told = self.xet.reconstruction(
            request.parts["oid"],
            lambda size: byte_range(request, size),
            lambda xorb: self.endpoint + self.signatures.sign(f"/xorbs/{xorb}"),
        )
        return Answer.of(told)

    def xet_fetch(self, request: Request) -> Answer:
        self.signatures.check(request)
        return Answer.part(self.xet.xorb(request.parts["oid"]).path, request, {})
