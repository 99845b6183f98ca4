"""Result of a measurement: every measure at several viewpoints, for classes and dataset."""

import dataclasses
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from lcrjax.measures.family import MEASURES, Family
from lcrjax.measures.readable import readable
from lcrjax.measures.small_profile import profile_svg
from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.pytrees import register_dataclass

if TYPE_CHECKING:
    import pandas as pd


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Diversity:
    """Every measure of the LCR family at several viewpoints, for classes and dataset; a pytree.

    `D.class_level["alpha"]` is an array (Q, C), `D.dataset_level["alpha"]` an array (Q,). There are
    nine measures: alpha, rho, beta, gamma, normalized_alpha, normalized_rho, normalized_beta,
    rho_hat and beta_hat. The letters of the paper: A is alpha, R is normalized_rho, G is gamma, B
    is normalized_beta.

    Attributes:
        q: Viewpoints, (Q,).
        class_level: Effective numbers of each class, by measure.
        dataset_level: Their power means over classes.
        class_entropy: Natural logs of `class_level`, computed as such.
        dataset_entropy: Natural logs of `dataset_level`.
        class_balance: Hill numbers of the class weights, (Q,), from 1 to C.
        class_names: C names.
        standard_error: Of an estimate (`lcrjax.measure` with rows or error), or where draws were
            asked for (`lcrjax.Bootstrap`, `lcrjax.Subsets`), the standard deviations of these
            numbers over samples or draws; else None.
        lower: The lower ends of intervals, likewise.
        upper: The upper ends.
        rows: How many elements an estimate is from; None of all.
        columns: How many others these were compared with; None of all.
    """

    q: Float[Array, " Q"]
    class_level: dict[str, Float[Array, "Q C"]]
    dataset_level: dict[str, Float[Array, " Q"]]
    class_entropy: dict[str, Float[Array, "Q C"]]
    dataset_entropy: dict[str, Float[Array, " Q"]]
    class_balance: Float[Array, " Q"]
    class_names: tuple[str, ...] = dataclasses.field(metadata={"static": True})
    standard_error: "Diversity | None" = None
    lower: "Diversity | None" = None
    upper: "Diversity | None" = None
    rows: int | None = dataclasses.field(default=None, metadata={"static": True})
    columns: int | None = dataclasses.field(default=None, metadata={"static": True})

    @property
    def dataset_interval(self) -> dict[str, Float[np.ndarray, "Q 2"]] | None:
        """Lower and upper ends of the intervals of `dataset_level`; None where it is exact."""
        if self.lower is None or self.upper is None:
            return None
        return _ends(self.lower.dataset_level, self.upper.dataset_level)

    @property
    def class_interval(self) -> dict[str, Float[np.ndarray, "Q C 2"]] | None:
        """Lower and upper ends of the intervals of `class_level`; None where it is exact."""
        if self.lower is None or self.upper is None:
            return None
        return _ends(self.lower.class_level, self.upper.class_level)

    def to_frame(self, *, entropy: bool = False) -> "pd.DataFrame":
        """Make a table with the columns level, q and the nine measures.

        Args:
            entropy: Give entropies (natural logs) in place of effective numbers.

        Returns:
            For each q a row whose level is "dataset", then one for each class, by its name. Where
            there are intervals, alpha_low, alpha_high and so on follow, their ends. Of an estimate
            the last column is bound: True where values are no more than an end of their interval
            (q = inf), which alpha, rho and gamma are at most, and the betas at least.
        """
        table = self._measures(entropy)
        if self.lower is None or self.upper is None:
            return table
        ends = {"low": self.lower._measures(entropy), "high": self.upper._measures(entropy)}
        pairs = {f"{m}_{end}": part[m] for m in MEASURES for end, part in ends.items()}
        table = table.assign(**pairs)
        return table if self.rows is None else table.assign(bound=self.bounds.ravel())

    @property
    def bounds(self) -> Bool[np.ndarray, "Q levels"]:
        """Where values of an estimate are bounds, of the dataset and each class: at q = inf."""
        if self.rows is None or self.standard_error is None:
            return np.zeros((len(self.q), 1 + len(self.class_names)), bool)
        errors = (
            self.standard_error.dataset_level["alpha"],
            self.standard_error.class_level["alpha"],
        )
        known = np.column_stack([np.asarray(x) for x in errors])
        given = np.column_stack([self.dataset_level["alpha"], self.class_level["alpha"]])
        return np.isinf(np.asarray(self.q))[:, None] & np.isnan(known) & ~np.isnan(given)

    def _measures(self, entropy: bool) -> "pd.DataFrame":
        import pandas as pd

        whole = self.dataset_entropy if entropy else self.dataset_level
        each = self.class_entropy if entropy else self.class_level
        rows = []
        for i, q in enumerate(np.asarray(self.q, np.float64)):
            rows.append({"level": "dataset", "q": q, **{m: float(whole[m][i]) for m in MEASURES}})
            for j, name in enumerate(self.class_names):
                values = {m: float(each[m][i, j]) for m in MEASURES}
                rows.append({"level": name, "q": q, **values})
        return pd.DataFrame(rows, columns=["level", "q", *MEASURES])

    def intervals(self, *, entropy: bool = False) -> "pd.DataFrame":
        """Make a long table: level, q, measure, value, standard_error, lower and upper.

        Args:
            entropy: Give entropies (natural logs) in place of effective numbers.

        Raises:
            ValueError: If it is exact, and no draws were asked for.
        """
        if self.standard_error is None or self.lower is None or self.upper is None:
            raise ValueError(
                "there are no intervals: measure with rows=..., or resampling=lcrjax.Bootstrap()"
            )
        given = (self, self.standard_error, self.lower, self.upper)
        tables = [
            part._measures(entropy).melt(["level", "q"], var_name="measure") for part in given
        ]
        names = ("standard_error", "lower", "upper")
        values = (table["value"] for table in tables[1:])
        return tables[0].assign(**dict(zip(names, values, strict=True)))

    def __repr__(self) -> str:
        """The dataset's A, R, B, G and class balance; whole arrays are too many to read."""
        table = self._overview()
        if table is None:
            return f"<{self._title}>"
        table = self._written(table)
        return f"{self._title}\n{table.to_string(index=False, float_format='{:.6g}'.format)}"

    def _repr_html_(self) -> str:
        """The same for a notebook, and where there are three viewpoints or more a profile of A."""
        table = self._overview()
        if table is None:
            return f"<p>{self._title}</p>"
        html = self._written(table).to_html(index=False, border=0, float_format="{:.6g}".format)
        drawn = profile_svg(table["q"].to_numpy(), table["alpha"].to_numpy())
        return f"<p>{self._title}</p>{html}{drawn}"

    @property
    def _title(self) -> str:
        count = len(self.class_names)
        title = f"Diversity of {count} class{'es' if count > 1 else ''}"
        if self.rows is None:
            return title
        against = "" if self.columns is None else f" and {self.columns:,} columns"
        return f"{title}, an estimate from {self.rows:,} rows{against}"

    def _overview(self) -> "pd.DataFrame | None":
        """The dataset's numbers, a row for each viewpoint; None of what is traced or batched."""
        leaves = jax.tree.leaves(self)
        concrete = all(isinstance(x, jax.Array | np.ndarray) for x in leaves) and at_hand(*leaves)
        if not concrete or np.ndim(self.q) != 1:
            return None
        import pandas as pd

        shown = ("alpha", "normalized_rho", "normalized_beta", "gamma")
        columns = {name: np.asarray(self.dataset_level[name]) for name in shown}
        return pd.DataFrame(
            {"q": np.asarray(self.q), **columns, "class_balance": self.class_balance}
        )

    def _written(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """The dataset's numbers, and where there are intervals, these beside them in words."""
        ends = self.dataset_interval
        if ends is None:
            return table
        numbers = {
            name: [
                readable(value, low, high, bound, "{:.6g}".format)
                for value, (low, high), bound in zip(
                    table[name], ends[name].tolist(), self.bounds[:, 0].tolist(), strict=True
                )
            ]
            for name in ends
            if name in table
        }
        return table.assign(**numbers)


def _ends(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    return {name: np.stack([lower[name], upper[name]], axis=-1) for name in MEASURES}


def result_of(q: Any, found: Family, names: tuple[str, ...]) -> Diversity:
    """Bring a family into a `Diversity`; what the host computed is rounded to the dtype of `q`."""
    on_host = isinstance(found.class_balance, np.ndarray)
    if on_host:
        found = Family(*(table.astype(q.dtype) for table in found))
    levels = (found.class_level, found.dataset_level, found.class_entropy, found.dataset_entropy)
    parts = (q, *levels, found.class_balance)
    q, *tables = jax.device_put(parts) if on_host else parts
    return Diversity(jnp.asarray(q), *tables, class_names=names)  # type: ignore[misc]
