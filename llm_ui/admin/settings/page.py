"""The settings page."""

from typing import Any

import panel as pn

from llm_ui.admin.notices import page_notices
from llm_ui.admin.settings import choices
from llm_ui.admin.settings.state import SettingsState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import button, chooser, line, page, section, stack, words
from llm_ui.ui.parts import Heading, Message, Switch


class SettingsPage(pn.viewable.Viewer):
    """Workspace settings, one section each."""

    def __init__(self, state: SettingsState) -> None:
        super().__init__()
        self._state = state
        self._layout = page(
            Heading(
                title=_("Settings"),
                sentence=_("What holds for everybody in this workspace. Changes take effect at once."),
            ),
            page_notices(state),
            *self._people(),
            *self._models(),
            *self._documents(),
            section(
                _("Instructions"),
                _("Every new chat begins with these words to the model; people do not see them."),
                self._instructions(),
            ),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    def _people(self) -> list[Any]:
        """Return what people may do."""
        state = self._state
        return [
            section(
                _("Accounts"),
                _("Close registration once everybody is here; administrators can always add people."),
                self._registration(),
            ),
            section(
                _("Links to chats"),
                _("People may give others a link to a copy of a chat of theirs, which they can revoke."),
                chooser(state.param.sharing, _("Who may be given links"), choices.sharing(), state.set_sharing),
            ),
        ]

    def _models(self) -> list[Any]:
        """Return which models do what."""
        state = self._state
        return [
            section(
                _("Default model"),
                _("New chats start with this model; people may pick another."),
                chooser(
                    state.param.default_model,
                    _("Default model"),
                    pn.bind(choices.models, state.param.models, state.param.default_model),
                    state.set_default_model,
                ),
            ),
            section(
                _("After an answer"),
                _(
                    "A small, cheap model can do this in the background, once an answer has ended. "
                    "What it uses and costs is booked like everything else."
                ),
                self._helper(),
            ),
        ]

    def _documents(self) -> list[Any]:
        """Return how documents are found, and how many there may be."""
        state = self._state
        return [
            section(
                _("Search in documents"),
                _(
                    "Documents of projects are found by their words. An embedding model finds them by what they mean, "
                    "too. Add one on the providers page; documents are sent to it once, and each question."
                ),
                chooser(
                    state.param.embedding_model,
                    _("Embedding model"),
                    pn.bind(choices.embedders, state.param.embedders),
                    state.set_embedding_model,
                ),
            ),
            section(
                _("Order of passages"),
                _(
                    "A reranking model reads the best passages together with the question and puts them in order, in "
                    "three seconds at most. Passages are sent to it with each question."
                ),
                chooser(
                    state.param.reranking_model,
                    _("Reranking model"),
                    pn.bind(choices.rerankers, state.param.rerankers),
                    state.set_reranking_model,
                ),
            ),
            section(
                _("Documents"),
                _("How much room documents of projects may take. What does not fit is refused; nothing is deleted."),
                stack(*(self._room(name, label) for name, label in choices.rooms().items())),
            ),
        ]

    def _instructions(self) -> Any:
        state = self._state
        return stack(
            chooser(
                state.param.default_prompt,
                _("Default instructions"),
                pn.bind(choices.prompts, state.param.prompts),
                state.set_default_prompt,
            ),
            stack(
                words(state.param.prompt_text, _("Their words")),
                button(_("Save words"), state.save_prompt, tone="primary", disabled=state.param.is_busy),
                visible=pn.bind(bool, state.param.default_prompt),
            ),
        )

    def _helper(self) -> Any:
        state = self._state
        return stack(
            chooser(
                state.param.helper_model,
                _("Model for titles, tags, suggestions and summaries"),
                pn.bind(choices.helpers, state.param.models),
                state.set_helper_model,
            ),
            stack(
                *(self._errand(name, label) for name, label in choices.errands().items()),
                visible=pn.bind(bool, state.param.helper_model),
            ),
        )

    def _errand(self, name: str, label: str) -> Any:
        async def change(message: Message) -> None:
            await self._state.set_errand(name, is_wanted=message.is_on)

        return Switch(label=label, is_on=self._state.param[name], on_message=change)

    def _room(self, name: str, label: str) -> Any:
        async def change(megabytes: str) -> None:
            await self._state.set_room(name, megabytes)

        chosen = self._state.param[name]
        return chooser(chosen, label, pn.bind(choices.megabytes, chosen), change)

    def _registration(self) -> Any:
        state = self._state

        async def open_or_close(message: Message) -> None:
            await state.set_registration(is_open=message.is_on)

        async def approve(message: Message) -> None:
            await state.set_approval(is_wanted=message.is_on)

        return stack(
            Switch(
                label=_("Anybody may create an account"),
                is_on=state.param.is_registration_open,
                on_message=open_or_close,
            ),
            stack(
                Switch(
                    label=_("They wait until an administrator approves them"),
                    is_on=state.param.needs_approval,
                    on_message=approve,
                ),
                line(
                    state.param.domains,
                    _("E-mail domains they may use; empty: any"),
                ),
                button(_("Save domains"), state.save_domains, tone="primary", disabled=state.param.is_busy),
                visible=state.param.is_registration_open,
            ),
        )
