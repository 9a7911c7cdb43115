{# Raw files of a domain that has one file for each table, by fetch_data.py. #}
{% macro domain_file(domain, file) -%}
    {%- set path = domain_folder(domain) ~ '/' ~ file -%}
    {%- if is_building() -%}
        {%- if not found_files(path) -%}
            {{ exceptions.raise_compiler_error(
                path ~ ' is not there: get it with `python scripts/fetch_data.py ' ~ domain ~ '`'
            ) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(path) }}
{%- endmacro %}

{# With numbered, file_row_number is the row's place in the file, from 0. #}
{% macro domain_parquet(domain, file, numbered=false) -%}
    {{- parquet_rows(domain_file(domain, file), numbered) -}}
{%- endmacro %}

{# Every value is text, so that one bad value costs one value and not the file; columns that the
   warehouse does not read may stand between those that it reads. #}
{% macro domain_csv(domain, file, delimiter=',') -%}
    {{- csv_rows([domain_file(domain, file)], delimiter) -}}
{%- endmacro %}
