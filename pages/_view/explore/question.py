"""What Explore asks: a photo and a question about it; the step comes with each look."""

from dataclasses import dataclass, replace

from pages._view import loaders
from pages._view.pickers import DEFAULT_PROMPT
from sing_core.errors import PromptError
from sing_core.files.digests import content_key
from sing_core.files.images import Photo
from sing_core.models.prompts import clean_prompt
from sing_core.sets.stored import StoredImage
from sing_core.studies.question import Question
from sing_core.studies.reports import ImageReport


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Everything that decides what the page shows, but the step."""

    photo: Photo | StoredImage
    question: Question

    @property
    def digest(self) -> str:
        """Digest of photo and question; the same for the same sweep."""
        return content_key(loaders.identity(self.photo), self.question.key)

    @property
    def prompt_fault(self) -> str:
        """Why the prompt cannot be used; empty when it can."""
        try:
            clean_prompt(self.question.prompt, max_chars=loaders.settings().max_prompt_chars)
        except PromptError as error:
            return str(error)
        return ""

    def ask_something(self) -> ImageReport:
        """Return the report, or one of the default prompt where this one cannot be used.

        Of that only what does not depend on the prompt may be shown.

        Raises:
            SingError: see ``analyse_image``.
        """
        if not self.prompt_fault:
            return self.ask()
        return loaders.report(self.photo, replace(self.question, prompt=DEFAULT_PROMPT))

    def ask(self, epsilon: float | None = None) -> ImageReport:
        """Return the report at ``epsilon`` (None: the wanted score, or the end of the sweep).

        Raises:
            SingError: see ``analyse_image``.
        """
        return loaders.report(self.photo, self.question.at(epsilon))
