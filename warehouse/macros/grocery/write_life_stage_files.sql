{# Writes data/samples/<prefix>_<life stage>.csv and .parquet. DuckDB writes beside the target and
   renames, so that a reader never sees half a file; a life stage without rows gives a file
   without rows, so that no file of an older build stays behind. Other engines keep the table. #}
{% macro write_life_stage_files(prefix) -%}
    {{ return(adapter.dispatch('write_life_stage_files', 'segmenthouse')(prefix)) }}
{%- endmacro %}

{% macro default__write_life_stage_files(prefix) -%}
    {%- if execute -%}
        {%- set folder = run_query("select getvariable('samples_dir')").rows[0][0] -%}
        {%- set copies = [] -%}
        {%- for stage in life_stages() -%}
            {%- for format in ['csv', 'parquet'] -%}
                {%- do copies.append(
                    'copy (select * from ' ~ this ~ " where life_stage = '" ~ stage
                    ~ "' order by sample_rank) to "
                    ~ quoted(folder ~ '/' ~ prefix ~ '_' ~ stage | lower ~ '.' ~ format)
                    ~ ' (format ' ~ format ~ (', header' if format == 'csv' else '')
                    ~ ', use_tmp_file true)'
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- do run_query(copies | join('; ')) -%}
    {%- endif -%}
{%- endmacro %}
