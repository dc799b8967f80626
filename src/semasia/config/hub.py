"""What is published, and where: the configuration's part on the Hugging Face Hub."""

from __future__ import annotations

from pydantic import Field

from semasia.closed import Closed


class Hub(Closed):
    """Repositories of a namespace on the Hugging Face Hub. No token: that is the environment's."""

    namespace: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="User or organisation that owns the repositories `semasia-{benchmark}` and "
        "`semasia-registry`.",
    )
    private: bool = Field(
        default=False, description="Whether repositories that do not exist yet are made private."
    )
    collection: str | None = Field(
        default="Semasia",
        min_length=1,
        max_length=59,
        description="Title of the collection on the Hub that holds them; null: none.",
    )
    hold_back_licenses: tuple[str, ...] = Field(
        default=(),
        description="Models whose weights have one of these licences are not published: the "
        "registry's names, such as `cc-by-nc-4.0`; `unstated` where none is stated.",
    )
    files_per_commit: int = Field(
        default=40, ge=1, le=100, description="Most files of one commit; a killed push loses one."
    )
    gigabytes_per_commit: float = Field(default=4.0, gt=0, description="Most of one commit.")

    def repository(self, name: str) -> str:
        """Return the repository of a benchmark, or of the registry."""
        return f"{self.namespace}/semasia-{name}"
