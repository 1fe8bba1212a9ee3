"""What the settings page shows and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.state import AdminState, action
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ModelId, PromptId
from llm_ui.services import ai_models, embedding, helper, prompts, registration, reranking, settings
from llm_ui.services.access import Actor
from llm_ui.services.settings import (
    EMBEDDING_MODEL,
    HELPER_FOLLOW_UPS,
    HELPER_MODEL,
    HELPER_QUERIES,
    HELPER_SUMMARIES,
    HELPER_TAGS,
    HELPER_TITLES,
    PERSON_DOCUMENTS_MB,
    PROJECT_DOCUMENTS_MB,
    REGISTRATION_APPROVAL,
    REGISTRATION_DOMAINS,
    REGISTRATION_OPEN,
    RERANKING_MODEL,
    SHARING,
)
from llm_ui.ui.names import shown_name

SHARING_CHOICES = ("off", "signed_in", "anyone")
ERRANDS = {
    "makes_titles": HELPER_TITLES,
    "makes_tags": HELPER_TAGS,
    "suggests_follow_ups": HELPER_FOLLOW_UPS,
    "sums_up": HELPER_SUMMARIES,
    "words_queries": HELPER_QUERIES,
}
"""What the helper model may do, by parameter."""
ROOMS = {"room_of_person": PERSON_DOCUMENTS_MB, "room_of_project": PROJECT_DOCUMENTS_MB}
"""How much room documents may take, by parameter."""
ROOM_CHOICES = (0, 100, 500, 1_000, 5_000, 20_000, 100_000)
"""In megabytes; 0: as many as fit."""
NONE = ""
"""The choice of no instructions."""


class SettingsState(AdminState):
    """Workspace settings. What is chosen is stored at once; only words need a *Save*."""

    is_registration_open = param.Boolean(default=True, doc="Whether anybody may create an account.")
    needs_approval = param.Boolean(default=False, doc="Whether whoever registers waits for an administrator.")
    domains = param.String(default="", doc="Domains of those who may register, separated by spaces; empty: any.")
    sharing = param.String(default="signed_in", doc="Who may be given links to chats, as the setting holds it.")
    room_of_person = param.String(default="0", doc="Megabytes that all documents of a person may have; 0: no limit.")
    room_of_project = param.String(default="0", doc="Megabytes that all documents of a project may have; 0: no limit.")
    models = param.ClassSelector(class_=tuple, default=(), doc="The models that may become the default.")
    default_model = param.String(default=NONE, doc="Id of the model new chats start with; empty for none.")
    helper_model = param.String(default=NONE, doc="Id of the model that works in the background; empty for none.")
    embedders = param.ClassSelector(class_=tuple, default=(), doc="The models that may make vectors.")
    embedding_model = param.String(default=NONE, doc="Id of the model that makes vectors; empty for none.")
    rerankers = param.ClassSelector(class_=tuple, default=(), doc="The models that may put passages in order.")
    reranking_model = param.String(default=NONE, doc="Id of the model that puts passages in order; empty for none.")
    makes_titles = param.Boolean(default=True, doc="Whether it gives new chats a title.")
    makes_tags = param.Boolean(default=True, doc="Whether it gives new chats tags.")
    suggests_follow_ups = param.Boolean(default=True, doc="Whether it suggests what to ask next.")
    sums_up = param.Boolean(default=True, doc="Whether it sums up what no longer fits.")
    words_queries = param.Boolean(default=True, doc="Whether it words questions that build on the conversation.")
    prompts = param.ClassSelector(class_=tuple, default=(), doc="The platform's instructions to choose from.")
    default_prompt = param.String(default=NONE, doc="Id of the instructions new chats start with; empty for none.")
    prompt_text = param.String(default="", doc="The words of those instructions.")

    @action
    async def load(self, actor: Actor) -> None:
        """Read all settings."""
        await self._reload(actor)

    @action
    async def set_registration(self, actor: Actor, *, is_open: bool) -> None:
        """Let people create accounts by themselves, or not."""
        async with self.context.backend.database.writing() as session:
            await settings.change(session, actor, REGISTRATION_OPEN, is_open)
        await self._reload(actor)
        self.said = _("Anybody may create an account now.") if is_open else _("Only administrators add people now.")

    @action
    async def set_approval(self, actor: Actor, *, is_wanted: bool) -> None:
        """Let whoever registers wait for an administrator, or not."""
        async with self.context.backend.database.writing() as session:
            await settings.change(session, actor, REGISTRATION_APPROVAL, is_wanted)
        await self._reload(actor)
        said = _("Whoever registers waits until you approve them on the users page.")
        self.said = said if is_wanted else _("Whoever registers can begin at once.")

    @action
    async def save_domains(self, actor: Actor) -> None:
        """Let accounts be made with addresses of these domains only."""
        async with self.context.backend.database.writing() as session:
            await registration.set_domains(session, actor, self.domains)
        await self._reload(actor)
        self.said = (
            _("Accounts can be made with addresses of these domains only.")
            if self.domains
            else _("Accounts can be made with any address.")
        )

    @action
    async def set_sharing(self, actor: Actor, audience: str) -> None:
        """Let people give links to their chats to these people; links to others lead nowhere from now on."""
        if audience not in SHARING_CHOICES:
            raise InvalidInput("Choose who may be given links to chats.")
        async with self.context.backend.database.writing() as session:
            await settings.change(session, actor, SHARING, audience)
        await self._reload(actor)
        self.said = _("Links to chats follow this from now on, also those that exist.")

    @action
    async def set_room(self, actor: Actor, name: str, megabytes: str) -> None:
        """Let documents of a person or of a project take so much room; those that are there stay."""
        if megabytes not in map(str, ROOM_CHOICES):
            raise InvalidInput("Choose how much room documents may take.")
        async with self.context.backend.database.writing() as session:
            await settings.change(session, actor, ROOMS[name], int(megabytes))
        await self._reload(actor)
        self.said = _("It holds from the next document on; those that are there stay.")

    @action
    async def set_default_model(self, actor: Actor, model_id: str) -> None:
        """Let new chats start with the model."""
        if not model_id:
            raise InvalidInput("Choose the model that new chats start with.")
        async with self.context.backend.database.writing() as session:
            await ai_models.set_default(session, actor, ModelId(UUID(model_id)))
        await self._reload(actor)
        self.said = _("New chats now start with this model.")

    @action
    async def set_helper_model(self, actor: Actor, model_id: str) -> None:
        """Let the model do what is done in the background, or nobody."""
        chosen = ModelId(UUID(model_id)) if model_id else None
        async with self.context.backend.database.writing() as session:
            await helper.set_helper_model(session, actor, chosen)
        await self._reload(actor)
        self.said = _("It begins with the next answer.") if chosen else _("Nothing is made in the background now.")

    @action
    async def set_embedding_model(self, actor: Actor, model_id: str) -> None:
        """Let the model make vectors once it has made one, or search by words alone."""
        chosen = ModelId(UUID(model_id)) if model_id else None
        tried = None if chosen is None else await self.llm(actor).test_embedding(chosen)
        if tried is not None and not tried.is_ok:
            # What is shown goes back to what holds.
            await self._reload(actor)
            raise InvalidInput(tried.message)
        async with self.context.backend.database.writing() as session:
            await embedding.set_embedding_model(session, actor, chosen)
        await self._reload(actor)
        self.said = (
            _("It works. Documents are being prepared for it; meanwhile they are searched by words.")
            if chosen
            else _("Documents are searched by words alone now.")
        )

    @action
    async def set_reranking_model(self, actor: Actor, model_id: str) -> None:
        """Let the model put passages in order once it has done so, or leave them as they are found."""
        chosen = ModelId(UUID(model_id)) if model_id else None
        tried = None if chosen is None else await self.llm(actor).test_reranking(chosen)
        if tried is not None and not tried.is_ok:
            await self._reload(actor)
            raise InvalidInput(tried.message)
        async with self.context.backend.database.writing() as session:
            await reranking.set_reranking_model(session, actor, chosen)
        await self._reload(actor)
        self.said = (
            _("It works. It begins with the next question.") if chosen else _("Passages stay as they are found.")
        )

    @action
    async def set_errand(self, actor: Actor, name: str, *, is_wanted: bool) -> None:
        """Let the helper model do this, or no more."""
        async with self.context.backend.database.writing() as session:
            await settings.change(session, actor, ERRANDS[name], is_wanted)
        await self._reload(actor)
        self.said = _("It holds from the next answer on.")

    @action
    async def set_default_prompt(self, actor: Actor, prompt_id: str) -> None:
        """Let new chats start with the instructions, or without any."""
        chosen = PromptId(UUID(prompt_id)) if prompt_id else None
        async with self.context.backend.database.writing() as session:
            await prompts.set_default(session, actor, chosen)
        await self._reload(actor)
        self.said = _("New chats now start with these instructions.") if chosen else _("New chats now start without.")

    @action
    async def save_prompt(self, actor: Actor) -> None:
        """Store the words of the default instructions."""
        prompt = next((prompt for prompt in self.prompts if str(prompt.id) == self.default_prompt), None)
        if prompt is None:
            raise InvalidInput("Choose the instructions first.")
        async with self.context.backend.database.writing() as session:
            await prompts.change_text(session, actor, prompt.id, self.prompt_text, seen=prompt.updated_at)
        await self._reload(actor)
        said = _("{name} is saved; chats use the new words from the next question on.")
        self.said = said.format(name=shown_name(prompt.name))

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            is_open = await settings.get(session, REGISTRATION_OPEN)
            needs_approval = await settings.get(session, REGISTRATION_APPROVAL)
            domains = await settings.get(session, REGISTRATION_DOMAINS)
            sharing = await settings.get(session, SHARING)
            helper_model = await settings.get(session, HELPER_MODEL) or NONE
            errands = {name: await settings.get(session, setting) for name, setting in ERRANDS.items()}
            rooms = {name: str(await settings.get(session, setting)) for name, setting in ROOMS.items()}
            models = await ai_models.list_models(session, actor)
            embedders = await ai_models.list_embedders(session, actor)
            embedding_model = await settings.get(session, EMBEDDING_MODEL) or NONE
            rerankers = await ai_models.list_rerankers(session, actor)
            reranking_model = await settings.get(session, RERANKING_MODEL) or NONE
            shared = await prompts.list_shared(session, actor)
        default = next((prompt for prompt in shared if prompt.is_default), None)
        self.param.update(
            is_registration_open=is_open,
            needs_approval=needs_approval,
            domains=domains,
            sharing=sharing,
            models=models,
            default_model=next((str(model.id) for model in models if model.is_default), NONE),
            helper_model=helper_model if helper_model in {str(model.id) for model in models} else NONE,
            embedders=embedders,
            embedding_model=embedding_model if embedding_model in {str(model.id) for model in embedders} else NONE,
            rerankers=rerankers,
            reranking_model=reranking_model if reranking_model in {str(model.id) for model in rerankers} else NONE,
            prompts=shared,
            default_prompt=NONE if default is None else str(default.id),
            prompt_text="" if default is None else default.text,
            **errands,
            **rooms,
        )
