{# Spark's side of engine.sql and raw_files.sql. A point in time has no zone (timestamp_ntz), and
   whole numbers are of the same width as in DuckDB. #}

{% macro spark__local_time(utc_timestamp, time_zone) -%}
    cast(from_utc_timestamp({{ zoned(utc_timestamp) }}, '{{ time_zone }}') as timestamp_ntz)
{%- endmacro %}

{# A point in time as one of Spark's own, which the session reads in UTC. #}
{% macro zoned(timestamp) -%}
    cast({{ timestamp }} as timestamp_ltz)
{%- endmacro %}

{% macro spark__hour_of(timestamp) -%}
    unix_micros({{ zoned(timestamp) }}) div 3600000000
{%- endmacro %}

{% macro spark__start_of_hour(hour) -%}
    cast(timestamp_seconds({{ hour }} * 3600) as timestamp_ntz)
{%- endmacro %}

{% macro spark__no_text() -%}
    cast(null as string)
{%- endmacro %}

{% macro spark__safe_date(text, format) -%}
    {%- set letters = {'%Y': 'yyyy', '%m': 'MM', '%d': 'dd'} -%}
    {%- set ns = namespace(pattern=format) -%}
    {%- for directive, letter in letters.items() -%}
        {%- set ns.pattern = ns.pattern | replace(directive, letter) -%}
    {%- endfor -%}
    {%- if '%' in ns.pattern -%}
        {{ exceptions.raise_compiler_error("safe_date does not know '" ~ format ~ "' on Spark") }}
    {%- endif -%}
    cast(try_to_timestamp({{ text }}, '{{ ns.pattern }}') as date)
{%- endmacro %}

{# A double becomes the cents nearest to it, as in DuckDB, not those nearest to its digits. #}
{% macro spark__safe_money(value) -%}
    try_cast(
            case
                when typeof({{ value }}) = 'double'
                    then try_cast(round(try_cast({{ value }} as double) * 100e0) as decimal(20, 0)) / 100
                else try_cast({{ value }} as decimal(18, 2))
            end
        as decimal(18, 2))
{%- endmacro %}

{% macro spark__safe_integer(text) -%}
    case
            when try_cast({{ text }} as decimal(18, 4)) % 1 = 0
                then cast(try_cast({{ text }} as decimal(18, 4)) as bigint)
        end
{%- endmacro %}

{% macro spark__leading_number(text) -%}
    try_cast(regexp_extract({{ text }}, '^[0-9]+', 0) as integer)
{%- endmacro %}

{% macro spark__at_hour(date, hour) -%}
    timestampadd(hour, cast({{ hour }} as integer), cast({{ date }} as timestamp_ntz))
{%- endmacro %}

{% macro spark__weekday_number(date) -%}
    cast(extract(dow_iso from {{ date }}) as bigint)
{%- endmacro %}

{% macro spark__days_between(first_date, last_date) -%}
    cast(datediff(cast({{ last_date }} as date), cast({{ first_date }} as date)) as bigint)
{%- endmacro %}

{% macro spark__months_between(first_date, last_date) -%}
    cast(
            12 * (year({{ last_date }}) - year({{ first_date }}))
            + month({{ last_date }}) - month({{ first_date }})
        as bigint)
{%- endmacro %}

{% macro spark__place_in_file() -%}
    cast(row_number() over (order by monotonically_increasing_id()) as bigint)
{%- endmacro %}

{# Spark's own average of decimals keeps only four more places. #}
{% macro spark__mean_money(amount) -%}
    cast(sum({{ amount }}) * 100 as double) / (100 * count({{ amount }}))
{%- endmacro %}

{% macro spark__last_given(value) -%}
    last_value({{ value }}, true)
{%- endmacro %}

{% macro spark__spread(whole_number) -%}
    {%- set wide -%} cast({{ whole_number }} as decimal(19, 0)) {%- endset -%}
    {%- set sum -%} cast(sum({{ whole_number }}) as decimal(19, 0)) {%- endset -%}
    sqrt(cast(
            count({{ whole_number }}) * sum({{ wide }} * {{ wide }}) - {{ sum }} * {{ sum }}
        as double)) / nullif(count({{ whole_number }}), 0)
{%- endmacro %}

{% macro spark__exact_sum(value) -%}
    cast(sum(cast({{ value }} as decimal(32, 15))) as double)
{%- endmacro %}

{% macro spark__safe_epoch(text) -%}
    case
            when {{ safe_integer(text) }} between 0 and 253402300799
                then cast(timestamp_seconds({{ safe_integer(text) }}) as timestamp_ntz)
        end
{%- endmacro %}

{% macro spark__list_length(list) -%}
    cast(greatest(coalesce(size({{ list }}), 0), 0) as bigint)
{%- endmacro %}

{% macro spark__unnested(list) -%}
    explode({{ list }})
{%- endmacro %}

{% macro spark__columns_but(relation, column) -%}
    {{ relation }}.* except ({{ column }})
{%- endmacro %}

{# What spark_opening.py found; a cluster cannot know what lies on this machine. #}
{% macro spark__plugin_folder(name) -%}
    {%- set setting = 'spark.segmenthouse.' ~ name -%}
    {%- set folder = run_query('set ' ~ setting).rows[0][1] -%}
    {%- if folder == '<undefined>' -%}
        {{ exceptions.raise_compiler_error(
            'this Spark is a cluster, which has no folder of raw files: name one that it can read,'
            ~ " such as --vars '{" ~ ('<domain>_dir' if name == 'raw_dir' else name) ~ ": s3a://...}'"
        ) }}
    {%- endif -%}
    {{ return(folder) }}
{%- endmacro %}

{# Whether Spark runs on this machine and has the functions of spark_opening.py. #}
{% macro is_local_spark() -%}
    {{ return(run_query('set spark.segmenthouse.raw_dir').rows[0][1] != '<undefined>') }}
{%- endmacro %}

{# A cluster looks for its files itself. #}
{% macro spark__found_files(pattern) -%}
    {%- if not is_local_spark() -%}
        {{ return([pattern]) }}
    {%- endif -%}
    {%- set listing = 'select explode(raw_files(' ~ quoted(pattern) ~ ')) as file' -%}
    {{ return(run_query(listing).columns[0].values() | list) }}
{%- endmacro %}

{% macro spark__csv_problem_of(paths, columns, delimiter) -%}
    {%- if is_local_spark() -%}
        {%- for path in paths -%}
            {%- set check -%}
                select csv_problem(
                    {{ quoted(path) }}, array({{ quoted_list(columns)[1:-1] }}), {{ quoted(delimiter) }}
                ) as problem
            {%- endset -%}
            {%- set problem = run_query(check).rows[0][0] -%}
            {%- if problem -%}
                {{ return(problem) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro spark__bare_parquet(path) -%}
    parquet.`{{ path }}`
{%- endmacro %}

{% macro spark__parquet_rows(path, numbered) -%}
    (
        select
            *,
            {{ as_path('_metadata.file_path') }} as source_file
            {{- ',\n            _metadata.row_index as file_row_number' if numbered }}
        from parquet.`{{ path }}`
    )
{%- endmacro %}

{# A file as a path, where Spark says file:///folder/name. #}
{% macro as_path(address) -%}
    regexp_replace({{ address }}, '^file:/+', '/')
{%- endmacro %}

{# CSV takes options, which only a view can carry. A line that cannot be parted into columns stops
   the model before its table is touched. #}
{% macro spark__csv_rows(paths, delimiter, columns, in_order) -%}
    {%- set view = 'files_of_' ~ model.name -%}
    {%- if is_building() -%}
        {%- set definition -%}
            create or replace temporary view {{ view }}
            {%- if columns %}
            ({% for column in columns %}`{{ column }}` string, {% endfor %}unread_line string)
            {%- endif %}
            using csv options (
                path {{ quoted(one_path_of(paths)) }},
                header true, sep {{ quoted(delimiter) }}, quote '"', escape '"', multiLine true,
                inferSchema false
                {{- ", mode 'PERMISSIVE', columnNameOfCorruptRecord 'unread_line'" if columns }}
            )
        {%- endset -%}
        {%- do run_query(definition) -%}
        {%- if columns -%}
            {%- do stop_at_unread_lines_of(view) -%}
        {%- endif -%}
    {%- endif -%}
    (
        select
            *,
            {{ as_path('input_file_name()') }} as source_file
        from {{ view }}
    )
{%- endmacro %}

{# Files of one folder as one path. #}
{% macro one_path_of(paths) -%}
    {%- set names = [] -%}
    {%- for path in paths -%}
        {%- do names.append(path.rsplit('/', 1)[1]) -%}
    {%- endfor -%}
    {{ return(
        paths[0] if paths | length == 1
        else paths[0].rsplit('/', 1)[0] ~ '/{' ~ names | join(',') ~ '}'
    ) }}
{%- endmacro %}

{% macro stop_at_unread_lines_of(view) -%}
    {%- set unread -%}
        select
            {{ as_path('input_file_name()') }} as path,
            *
        from {{ view }}
        where unread_line is not null
        limit 1
    {%- endset -%}
    {%- for row in run_query(unread).rows -%}
        {{ exceptions.raise_compiler_error(
            row['path'] ~ ': a line has too few or too many values: ' ~ row['unread_line'].strip()
            ~ '; if the file is cut short, fetch it again'
        ) }}
    {%- endfor -%}
{%- endmacro %}

{# spark__csv_rows has looked already. #}
{% macro spark__stop_at_unread_lines() -%}
{%- endmacro %}

{# The CSV files of a cluster, which looks for them itself; here parquet files too. #}
{% macro spark__weeks_to_read(folder, patterns, command) -%}
    {%- set paths = [] -%}
    {%- for pattern in patterns if is_local_spark() or not pattern.endswith('.parquet') -%}
        {%- do paths.extend(found_files(folder ~ '/' ~ pattern)) -%}
    {%- endfor -%}
    {%- if not paths -%}
        {{ exceptions.raise_compiler_error(
            folder ~ '/' ~ patterns | join(' or ') ~ ' is not there: get it with `' ~ command ~ '`'
        ) }}
    {%- endif -%}
    {{ return(paths) }}
{%- endmacro %}

{% macro spark__parquet_weeks(paths, columns) -%}
    {{- parquet_rows(one_path_of(paths), false) -}}
{%- endmacro %}

{# The files are DuckDB's alone. #}
{% macro spark__write_life_stage_files(prefix) -%}
{%- endmacro %}

{% macro spark__custom_log() -%}
    {%- if execute -%}
    {{ exceptions.raise_compiler_error(
        'a transaction log of your own lies in the DuckDB file: build it without --target spark'
    ) }}
    {%- endif -%}
{%- endmacro %}
