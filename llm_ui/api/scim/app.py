"""Answers requests of SCIM (RFC 7644 §3): finds out what is asked, of which kind, and says it in the protocol."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    ForbiddenException,
    InvalidFilterException,
    InvalidSyntaxException,
    Meta,
    NotFoundException,
    NotImplementedException,
    Resource,
    ResponseParameters,
    SCIMException,
    SearchRequest,
)
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from llm_ui.api.principal import Api
from llm_ui.api.public.door import Guard
from llm_ui.api.scim import MEDIA_TYPE, PREFIXES, members
from llm_ui.api.scim.filters import condition
from llm_ui.api.scim.kept import LISTED, MOST, OF_SCHEMAS, OF_TYPES, POLICY, PROVIDER, SEARCH, USUAL
from llm_ui.api.scim.resources import KINDS, Kind, One, Page, Shown
from llm_ui.errors import Conflict, InvalidInput, LLMUIError, NotFound, WrongMethod, unforeseen
from llm_ui.kit import i18n
from llm_ui.observability.logging import get_logger
from llm_ui.services.directories import Directory
from llm_ui.services.directory_groups import Members
from llm_ui.services.directory_search import NotAsked

log = get_logger(__name__)

WRONG_METHOD = "This address does not take this method. See /ResourceTypes for what there is."
ATTRIBUTES = ("attributes", "excludedAttributes")
SCIM_TYPES: dict[type[LLMUIError], str] = {
    Conflict: "uniqueness",
    InvalidInput: "invalidValue",
    NotAsked: "invalidFilter",
}
"""What tells directories which of the errors of a status it is: RFC 7644 table 9."""


async def answer(request: Request, parts: Api, guard: Guard) -> Response:
    """Return the answer to a request of a directory, or no in the protocol's own words."""
    # Directories are spoken to in English: what they are told ends up in logs.
    i18n.speak("en")
    try:
        directory = await guard.directory(request, parts)
        return await _Asked.of(request, parts, directory).answer()
    except LLMUIError as error:
        return _refused(error)
    except SCIMException as error:
        return _told_error(error.to_error())
    except ValidationError as error:
        return _told_error(Error.from_validation_errors(error)[0])
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:
        request_id = str(request.state.request_id)
        log.exception("request.crashed", request_id=request_id, path=request.url.path)
        return _refused(unforeseen(request_id))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, taken apart."""

    request: Request
    parts: Api
    directory: Directory
    base: str
    """The address of the service."""
    path: tuple[str, ...]

    @classmethod
    def of(cls, request: Request, parts: Api, directory: Directory) -> "_Asked":
        """Return a request taken apart."""
        prefix = next(each for each in PREFIXES if request.url.path.startswith(f"{each}/"))
        here = f"{str(request.base_url).rstrip('/')}{prefix}"
        base = f"{parts.config.scripts_reach}/scim/v2" if parts.config.public_api_url else here
        path = tuple(filter(None, request.path_params["path"].split("/")))
        return cls(request, parts, directory, base, path)

    async def answer(self) -> Response:
        """Do what is asked."""
        match self.path:
            case ["Me"]:
                raise NotImplementedException(detail="A directory is nobody; ask for /Users.")
            case ["ServiceProviderConfig" | "ResourceTypes" | "Schemas", *_]:
                return self._described()
            case [".search"] if self.request.method == "POST":
                return await self._found(list(KINDS.values()), await self._body())
            case [name] if name in KINDS:
                return await self._of_kind(KINDS[name])
            case [name, ".search"] if name in KINDS and self.request.method == "POST":
                return await self._found([KINDS[name]], await self._body())
            case [name, told_id] if name in KINDS:
                return await self._of_one(KINDS[name], self._one(told_id))
        raise NotFound("There is nothing at this address. See /ResourceTypes for what there is.")

    async def _of_kind(self, kind: Kind) -> Response:
        match self.request.method:
            case "GET":
                return await self._found([kind], dict(self.request.query_params))
            case "POST":
                return await self._created(kind)
        raise WrongMethod(WRONG_METHOD)

    async def _of_one(self, kind: Kind, one: One) -> Response:
        match self.request.method:
            case "GET":
                return await self._read(kind, one)
            case "PUT":
                return await self._replaced(kind, one)
            case "PATCH":
                return await self._patched(kind, one)
            case "DELETE":
                return await self._deleted(kind, one)
        raise WrongMethod(WRONG_METHOD)

    def _described(self) -> Response:
        name, *more = self.path
        if self.request.method != "GET":
            raise WrongMethod(WRONG_METHOD)
        if "filter" in self.request.query_params:
            raise ForbiddenException(detail="What the service can is not filtered.")
        if name == "ServiceProviderConfig" and not more:
            assert PROVIDER.config is not None  # noqa: S101 - it is given there
            return _described(_at(PROVIDER.config, self.base, name))
        described, listed = (PROVIDER.schemas, OF_SCHEMAS) if name == "Schemas" else (PROVIDER.resource_types, OF_TYPES)
        found = [_at(each, self.base, f"{name}/{each.id}") for each in described]
        if not more and name != "ServiceProviderConfig":
            whole = listed(total_results=len(found), start_index=1, items_per_page=len(found), resources=found)
            return _described(whole)
        one = next((each for each in found if more == [str(each.id)]), None)
        if one is None:
            raise NotFoundException(detail="There is nothing of this id.")
        return _described(one)

    async def _found(self, kinds: Sequence[Kind], asked: Mapping[str, Any]) -> Response:
        is_one = len(kinds) == 1
        search = _search(kinds[0].messages.search if is_one else SEARCH, asked)
        start, count = search.start_index_0 or 0, USUAL if search.count is None else min(search.count, MOST)
        total, found = 0, list[Shown]()
        async with self.parts.database.reading() as session:
            for kind in kinds:
                try:
                    page = Page(
                        self.directory,
                        self.base,
                        # Of several kinds one comes after the other.
                        start=max(start - total, 0),
                        count=count - len(found),
                        condition=None if search.filter is None else condition(kind.messages.filter(search.filter)),
                        with_members=_wants(search, members.MEMBERS),
                    )
                    there, some = await kind.find(session, page)
                except (InvalidFilterException, NotAsked):
                    if is_one:
                        raise
                    # What a kind has not is nothing there: RFC 7644 §3.4.2.1.
                    continue
                total, found = total + there, [*found, *some]
        listed = (kinds[0].messages.listed if is_one else LISTED)(
            total_results=total,
            start_index=start + 1,
            items_per_page=len(found),
            resources=[each.resource for each in found],
        )
        return await asyncio.to_thread(self._told, listed, found, Context.RESOURCE_QUERY_RESPONSE, search)

    async def _read(self, kind: Kind, one: One) -> Response:
        wanted = self._wanted(kind)
        async with self.parts.database.reading() as session:
            found = await kind.read(session, one, with_members=_wants(wanted, members.MEMBERS))
        return await self._shown(found, Context.RESOURCE_QUERY_RESPONSE, wanted)

    async def _created(self, kind: Kind) -> Response:
        wanted = self._wanted(kind)
        resource, of_whole = await self._resource(kind, Context.RESOURCE_CREATION_REQUEST)
        async with self.parts.database.writing(lock=self._lock) as session:
            one = self._one(await kind.create(session, self.directory, resource, of_whole))
            made = await kind.read(session, one, with_members=_wants(wanted, members.MEMBERS))
        response = await self._shown(made, Context.RESOURCE_CREATION_RESPONSE, wanted, 201)
        response.headers["location"] = f"{self.base}/{kind.endpoint}/{one.told_id}"
        return response

    async def _replaced(self, kind: Kind, one: One) -> Response:
        wanted = self._wanted(kind)
        resource, of_whole = await self._resource(kind, Context.RESOURCE_REPLACEMENT_REQUEST)
        async with self.parts.database.writing(lock=self._lock) as session:
            await kind.change(session, one, resource, of_whole)
            changed = await kind.read(session, one, with_members=_wants(wanted, members.MEMBERS))
        return await self._shown(changed, Context.RESOURCE_REPLACEMENT_RESPONSE, wanted)

    async def _patched(self, kind: Kind, one: One) -> Response:
        wanted = self._wanted(kind)
        body, change = await asyncio.to_thread(members.of_patch, await self._body())
        patch: Any = None
        if body is not None:
            validate = kind.messages.patch.model_validate
            context = Context.RESOURCE_PATCH_REQUEST
            patch = await asyncio.to_thread(validate, body, scim_ctx=context, scim_policy=POLICY)
        # Without saying what is wanted, a change of members is not answered with all of them: RFC 7644 §3.5.2.
        is_brief = patch is None and not (wanted.attributes or wanted.excluded_attributes)
        async with self.parts.database.writing(lock=self._lock) as session:
            resource = (await kind.read(session, one, with_members=False)).resource
            if patch is not None:
                await asyncio.to_thread(patch.patch, resource, scim_policy=POLICY)
            await kind.change(session, one, resource, change)
            if is_brief:
                return Response(status_code=204)
            changed = await kind.read(session, one, with_members=_wants(wanted, members.MEMBERS))
        return await self._shown(changed, Context.RESOURCE_PATCH_RESPONSE, wanted)

    async def _deleted(self, kind: Kind, one: One) -> Response:
        async with self.parts.database.writing(lock=self._lock) as session:
            await kind.delete(session, one)
        return Response(status_code=204)

    async def _shown(
        self, shown: Shown, context: Context, wanted: ResponseParameters[Any], status: int = 200
    ) -> Response:
        return await asyncio.to_thread(self._told, shown.resource, [shown], context, wanted, status)

    def _told(
        self,
        message: Any,
        shown: Sequence[Shown],
        context: Context,
        wanted: ResponseParameters[Any],
        status: int = 200,
    ) -> Response:
        """Return what is told, with the members of each resource that is shown."""
        body = message.model_dump(scim_ctx=context, response_parameters=wanted)
        is_one = len(shown) == 1 and shown[0].resource is message
        for each, of_each in zip([body] if is_one else body.get("Resources") or [], shown, strict=True):
            if of_each.members:
                each[members.MEMBERS] = members.shown(of_each.members, self.base)
        return _response(body, status)

    def _one(self, told_id: str) -> One:
        return One(self.directory, self.base, told_id)

    @property
    def _lock(self) -> str:
        """What has the changes of a directory be done one after the other: each reads before it writes."""
        return f"directory {self.directory.issuer_id}"

    def _wanted(self, kind: Kind) -> ResponseParameters[Any]:
        asked = {name: self.request.query_params[name] for name in ATTRIBUTES if name in self.request.query_params}
        found: ResponseParameters[Any] = kind.messages.wanted.model_validate(asked, scim_policy=POLICY)
        return found

    async def _body(self) -> dict[str, Any]:
        try:
            body = json.loads(await self.request.body())
        except ValueError:
            raise InvalidSyntaxException(detail="The body cannot be read as JSON.") from None
        if not isinstance(body, dict):
            raise InvalidSyntaxException(detail="The body is no JSON object.")
        return body

    async def _resource(self, kind: Kind, context: Context) -> tuple[Resource[Any], Members]:
        body, of_whole = await asyncio.to_thread(members.of_whole, await self._body())
        is_silent = kind.endpoint == "Users" and body.get("active") is None
        if kind.endpoint == "Users":
            body = {**body, "emails": _emails(body), "active": True if is_silent else body["active"]}
        validate = kind.messages.resource.model_validate
        found: Resource[Any] = await asyncio.to_thread(validate, body, scim_ctx=context, scim_policy=POLICY)
        return (found.model_copy(update={"active": None}) if is_silent else found), of_whole


def _emails(body: dict[str, Any]) -> Any:
    """Return the addresses of somebody who comes: the primary one where one is; many have it as `userName` alone."""
    told, name = body.get("emails"), body.get("userName")
    if not told and isinstance(name, str) and "@" in name:
        return [{"value": name}]
    listed = told if isinstance(told, list) else []
    return [each for each in listed if isinstance(each, dict) and each.get("primary")] or told


def _search(model: Any, asked: Mapping[str, Any]) -> SearchRequest[Any]:
    # What is sorted by is not told to matter: it is not supported, and said so.
    told = {name: value for name, value in asked.items() if name.lower() not in ("sortby", "sortorder", "cursor")}
    found: SearchRequest[Any] = model.model_validate(told, scim_policy=POLICY)
    return found


def _wants(wanted: ResponseParameters[Any], name: str) -> bool:
    """Return whether an attribute is to be told, or a part of it."""
    only = {str(each).lower().rpartition(":")[2].partition(".")[0] for each in wanted.attributes or ()}
    without = {str(each).lower().rpartition(":")[2] for each in wanted.excluded_attributes or ()}
    return name not in without and (not only or name in only)


def _at(described: Any, base: str, path: str) -> Any:
    """Return a description with the address where it is."""
    meta = Meta(resource_type=type(described).__name__, location=f"{base}/{path}")
    return described.model_copy(update={"meta": meta})


def _described(described: Any) -> Response:
    return _response(described.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _response(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, media_type=MEDIA_TYPE)


def _told_error(error: Error) -> Response:
    return Response(error.model_dump_json(), error.status or 400, media_type=MEDIA_TYPE)


def _refused(error: LLMUIError) -> Response:
    scim_type = SCIM_TYPES.get(type(error))
    response = _told_error(Error(status=error.status, scim_type=scim_type, detail=error.message))
    if error.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["retry-after"] = f"{error.retry_after:.0f}"
    return response
