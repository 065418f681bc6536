"""A registry that is away for a while."""

from schemas.errors import SchemaUnavailable
from schemas.registry import PackagedRegistry


class AwayRegistry(PackagedRegistry):
    """The packaged registry behind a door that stays shut for so many questions."""

    def __init__(self, *, questions: int) -> None:
        super().__init__()
        self.questions = questions

    def schema_of(self, schema_id: int) -> str:
        """Answer once it is back."""
        if self.questions:
            self.questions -= 1
            raise SchemaUnavailable(f"schema id {schema_id}")
        return super().schema_of(schema_id)
