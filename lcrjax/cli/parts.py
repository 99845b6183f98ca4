"""Parts that whoever runs a command puts in the place of lcrjax's own, as tests do."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

#: Keyword arguments for what the command calls: `conduct_study` or `train_reference`.
PARTS: ContextVar[Mapping[str, Any]] = ContextVar("parts", default=MappingProxyType({}))
