{# Tables and views in one statement that replaces the old relation, where dbt-duckdb's own build
   beside it, rename twice and drop: a relation is never missing, nothing temporary is left behind
   by a build that is killed, and the steps between the models take half the time. What dbt-duckdb's
   own would do besides (grants, contracts, descriptions kept in the database, indexes, partitions,
   sorting, a header) is refused. #}

{% materialization table, adapter='duckdb' %}
    {{ return(replaced_relation('table')) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(replaced_relation('view')) }}
{% endmaterialization %}

{# Stops at a setting that replaced_relation would not keep. #}
{% macro refuse_dropped_settings() -%}
    {%- set given = [] -%}
    {%- for setting in [
        'grants', 'persist_docs', 'indexes', 'sql_header',
        'partitioned_by', 'partition_by', 'sorted_by', 'sort_by',
    ] if config.get(setting) -%}
        {%- do given.append(setting) -%}
    {%- endfor -%}
    {%- if (config.get('contract') or {}).enforced -%}
        {%- do given.append('contract.enforced') -%}
    {%- endif -%}
    {%- if given -%}
        {{ exceptions.raise_compiler_error(
            given | join(', ') ~ ' of model ' ~ model.name ~ ' would be dropped: the '
            ~ config.get('materialized') ~ 's of this project do not keep it;'
            ~ ' take it out of the config, or add it to macros/materializations.sql'
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro replaced_relation(kind) %}
    {{- refuse_dropped_settings() -}}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type=kind) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if existing is not none and existing.type != kind -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        create or replace {{ kind }} {{ target }} as (
            {{ compiled_code }}
        )
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}
