{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{# dbt wants model names to be unique, so a file is named <layer>_<domain>_<things>;
   the relation drops the layer, which its schema already says. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- set layers = ['bronze_', 'silver_', 'gold_'] -%}
    {%- set given = (custom_alias_name or node.name) | trim -%}
    {%- set ns = namespace(name=given) -%}
    {%- for layer in layers if given.startswith(layer) -%}
        {%- set ns.name = given[layer | length:] -%}
    {%- endfor -%}
    {{ ns.name }}
{%- endmacro %}

{# Without the database's name, which DuckDB takes from the file's: a view keeps working in a
   copy of the warehouse that has another name. #}
{% macro ref() -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {{ return(relation.include(database=false) if execute else relation) }}
{%- endmacro %}
