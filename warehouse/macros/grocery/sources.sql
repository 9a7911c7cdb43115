{# The chosen source's relation of the shared shape: lines, catalog, shoppers or shops. #}
{% macro grocery_source(things) -%}
    {%- set source = var('grocery_source') -%}
    {%- if source not in ['complete_journey', 'sort_of_real'] -%}
        {{ exceptions.raise_compiler_error(
            "var grocery_source is '" ~ source ~ "'; it can be complete_journey or sort_of_real"
        ) }}
    {%- endif -%}
    {{ return(ref('bronze_grocery_' ~ source ~ '_' ~ things)) }}
{%- endmacro %}

{# Lines of the chosen source: all, or those of the baskets that a load has touched. #}
{% macro lines_to_check() -%}
    {%- set lines = grocery_source('lines') -%}
    {{ return(
        'grocery_lines_to_check' if loading('silver.grocery_checked_lines') == 'changes' else lines
    ) }}
{%- endmacro %}

{% macro sort_of_real_folder() -%}
    {%- set folder = raw_folder('sort_of_real_dir', 'raw_dir') -%}
    {{ return(folder if var('sort_of_real_dir', '') else folder ~ '/grocery') }}
{%- endmacro %}

{% macro sort_of_real_command() -%}
    {{ return('python scripts/fetch_data.py grocery --source sort_of_real --from DIR') }}
{%- endmacro %}

{% macro sort_of_real_files(patterns, columns) -%}
    {{- csv_files(sort_of_real_folder(), patterns, columns, sort_of_real_command()) -}}
{%- endmacro %}

{# The weekly files that are to be read, as one table expression of texts; parquet files have the
   same columns, in any order and of any type. #}
{% macro sort_of_real_weeks(columns) -%}
    {%- set patterns = ['transactions_*.csv', 'transactions_*.csv.gz', 'transactions_*.parquet'] -%}
    {%- set paths = [sort_of_real_folder() ~ '/' ~ patterns[0]] -%}
    {%- if is_building() -%}
        {%- set paths = adapter.dispatch('weeks_to_read', 'segmenthouse')(
            sort_of_real_folder(), patterns, sort_of_real_command()
        ) -%}
    {%- endif -%}
    {%- set parquet = [] -%}
    {%- set csv = [] -%}
    {%- for path in paths -%}
        {%- do (parquet if path.endswith('.parquet') else csv).append(path) -%}
    {%- endfor -%}
    {%- set parts = [] -%}
    {%- if csv -%}
        {%- do check_csv_headers(csv, columns) if is_building() -%}
        {%- do parts.append('select * from ' ~ csv_rows(csv, ',', columns)) -%}
    {%- endif -%}
    {%- if parquet -%}
        {%- set texts = [] -%}
        {%- for column in columns -%}
            {%- do texts.append('cast(' ~ column ~ ' as string) as ' ~ column) -%}
        {%- endfor -%}
        {%- do parts.append(
            'select ' ~ texts | join(', ') ~ ', source_file from '
            ~ adapter.dispatch('parquet_weeks', 'segmenthouse')(parquet, columns)
        ) -%}
    {%- endif -%}
    {%- if not parts -%}
        {%- set nothing = [] -%}
        {%- for column in columns + ['source_file'] -%}
            {%- do nothing.append('cast(null as string) as ' ~ column) -%}
        {%- endfor -%}
        {%- do parts.append('select ' ~ nothing | join(', ') ~ ' where false') -%}
    {%- endif -%}
    ({{ parts | join(' union all ') }}) as weekly_files
{%- endmacro %}

{# Spark reads every week at every build. #}
{% macro default__weeks_to_read(folder, patterns, command) -%}
    {{ return(files_to_read(folder, patterns, command)) }}
{%- endmacro %}

{# Stops at a parquet file that lacks a column. #}
{% macro default__parquet_weeks(paths, columns) -%}
    {%- for path in paths -%}
        {%- set named = run_query('select name from parquet_schema(' ~ quoted(path) ~ ')').columns[0].values() -%}
        {%- for column in columns if column not in named -%}
            {{ exceptions.raise_compiler_error(path ~ ': column ' ~ column ~ ' is missing') }}
        {%- endfor -%}
    {%- endfor -%}
    read_parquet({{ quoted_list(paths) }}, filename = 'source_file', union_by_name = true)
{%- endmacro %}

{% macro sort_of_real_transaction_columns() -%}
    {{ return([
        'SHOP_WEEK', 'SHOP_DATE', 'SHOP_WEEKDAY', 'SHOP_HOUR', 'QUANTITY', 'SPEND', 'PROD_CODE',
        'PROD_CODE_10', 'PROD_CODE_20', 'PROD_CODE_30', 'PROD_CODE_40', 'CUST_CODE',
        'CUST_PRICE_SENSITIVITY', 'CUST_LIFESTAGE', 'BASKET_ID', 'BASKET_SIZE',
        'BASKET_PRICE_SENSITIVITY', 'BASKET_TYPE', 'BASKET_DOMINANT_MISSION', 'STORE_CODE',
        'STORE_FORMAT', 'STORE_REGION',
    ]) }}
{%- endmacro %}

{# A condition that keeps what had happened before var grocery_until; everything without it. #}
{% macro before_until(day) -%}
    {{ day ~ " < cast('" ~ var('grocery_until') ~ "' as date)" if var('grocery_until') else 'true' }}
{%- endmacro %}
