"""A contract type for import-linter: a library is imported by its own room and by nobody else."""

from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyFrom(Contract):
    """Direct imports of `libraries` may stand only in `rooms`; a library that nobody imports breaks nothing."""

    type_name = "only_from"

    libraries = fields.SetField(subfield=fields.StringField())
    rooms = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001  import-linter's signature
        """Collect every import that stands outside the rooms, as `importer -> library`."""
        strays = sorted(
            f"{importer} -> {library}"
            for library in _names(self.libraries) & graph.modules
            for importer in graph.find_modules_that_directly_import(library)
            if not any(f"{importer}.".startswith(f"{room}.") for room in _names(self.rooms))
        )
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line an import."""
        for stray in check.metadata["strays"]:
            output.print_error(f"{stray}  (allowed: {', '.join(sorted(_names(self.rooms)))})")


def _names(field: object) -> set[str]:
    return cast("set[str]", field)  # import-linter replaces the declared field by its parsed value
