"""Bodies and answers of REST, by their names in the OpenAPI document. Written by `npm run docs`."""

from __future__ import annotations

from typing import Literal, TypedDict

from .types import Receipt


class _NewUser(TypedDict):
    email: str
    password: str
    name: str


class NewUser(_NewUser, total=False):
    role: Literal["member", "admin", "operator", "auditor"]


class User(TypedDict):
    id: str
    tenant_id: str
    email: str
    name: str
    role: Literal["member", "admin", "operator", "auditor"]
    state: Literal["active", "suspended"]
    created_at: str


class UserPage(TypedDict):
    items: list[User]
    next_cursor: str | None


class UserPatch(TypedDict, total=False):
    state: Literal["active", "suspended"]
    role: Literal["member", "admin", "operator", "auditor"]
    name: str


class ChangedUser(TypedDict):
    user: User
    receipt: Receipt | None


class NewTenantInvite(TypedDict, total=False):
    max_uses: int
    expires_in: int
    email: str


class CreatedTenantInvite(TypedDict):
    code: str
    url: str
    id: str
    max_uses: int | None
    uses: int
    expires_at: str
    created_by: str
    created_at: str
    email: str | None
    mailed: bool


class TenantInvite(TypedDict):
    id: str
    max_uses: int | None
    uses: int
    expires_at: str
    created_by: str
    created_at: str
    email: str | None


class TenantInvites(TypedDict):
    items: list[TenantInvite]
    next_cursor: None
