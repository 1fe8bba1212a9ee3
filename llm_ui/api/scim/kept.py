"""What is kept of SCIM's `User` and `Group` (RFC 7643 §4), and what this service can (§5).

What directories send beyond that is ignored. Deviations of Microsoft Entra ID are understood:
https://learn.microsoft.com/en-us/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
"""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    ExtensibleStringEnum,
    Filter,
    ListResponse,
    Mutability,
    Pagination,
    Patch,
    PatchOp,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    Returned,
    Schema,
    ScimFilter,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

MOST = 200
"""People or groups of one page."""
USUAL = 100


class Email(ComplexAttribute):
    """The one address of an account."""

    class Type(ExtensibleStringEnum):
        """What the address is for."""

        work = "work"

    value: Annotated[str | None, Required.true] = None
    """The address."""
    type: Type | None = None
    """Always `work`."""
    primary: Annotated[bool | None, Mutability.read_only, Returned.request] = None
    """Always true."""


class Membership(ComplexAttribute):
    """A group that somebody is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """Its id."""
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Its address."""
    display: Annotated[str | None, Mutability.read_only] = None
    """Its name."""


class User(Resource[Any]):
    """Somebody with an account here."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """What the directory knows them as; the username here is made of it."""
    display_name: str | None = None
    """What they are called."""
    active: Annotated[bool | None, Required.true] = None
    """Whether they may sign in. Who comes without it may; who is replaced without it stays as they are."""
    emails: Annotated[list[Email] | None, Required.true] = None
    """Their address: of several that come at once the primary one, or the one for work, or the first."""
    groups: Annotated[list[Membership] | None, Mutability.read_only] = None
    """The groups that they are in."""


class Member(ComplexAttribute):
    """Somebody in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """Their id."""
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Their address."""


class Group(Resource[Any]):
    """A group, which is a team here."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """Its name."""
    members: list[Member] | None = None
    """Who is in it."""


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages about one kind of resource. Made once: making one looks for source text on the disk."""

    resource: Any
    listed: Any
    search: Any
    wanted: Any
    patch: Any
    filter: Any

    @classmethod
    def of(cls, model: Any) -> Self:
        """Return the messages about a kind."""
        listed = ListResponse[model]
        search = SearchRequest[model]
        wanted = ResponseParameters[model]
        patch = PatchOp[model]
        return cls(model, listed, search, wanted, patch, ScimFilter[model])


OF_USERS, OF_GROUPS = Messages.of(User), Messages.of(Group)
LISTED = ListResponse[User | Group]
SEARCH = SearchRequest[User | Group]
"""Both kinds at once."""
OF_SCHEMAS = ListResponse[Schema]
OF_TYPES = ListResponse[ResourceType]

POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER = ScimProvider(
    models=[User, Group],
    config=ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        pagination=Pagination(cursor=False, index=True, default_page_size=USUAL, max_page_size=MOST),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Token of the directory",
                description="The token that the page Sign-in of the administration shows once.",
                primary=True,
            )
        ],
    ),
    policy=POLICY,
)
