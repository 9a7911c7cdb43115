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

{# A table that takes in what has changed since it was made, as macros/grocery/weeks.sql tells: the
   rows that `meta.replaced` says go, those of the query come, in one transaction with the mark that
   says so; where the query holds `meta.every`, it reads such rows alone. Where nothing has changed
   nothing is done. #}
{% materialization incremental, adapter='duckdb' %}
    {%- set name = this.schema ~ '.' ~ this.identifier -%}
    {%- set meta = config.get('meta') or {} -%}
    {%- set how = loading(name) -%}
    {%- if how == 'everything' -%}
        {{ return(replaced_relation('table', mark=name)) }}
    {%- endif -%}
    {{- refuse_dropped_settings() -}}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- call statement('main') -%}
        {%- if how == 'nothing' -%}
            select 'nothing has changed'
        {%- else -%}
            create or replace temp table coming_{{ this.identifier }} as (
                {{ compiled_code | replace(meta.every, meta.replaced) if meta.every else compiled_code }}
            );
            {%- if meta.replaced %}
            delete from {{ this }} where {{ meta.replaced }};
            {%- endif %}
            insert into {{ this }} by name select * from coming_{{ this.identifier }}
        {%- endif -%}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- if how == 'changes' -%}
        {%- do run_query('drop table coming_' ~ this.identifier) -%}
        {%- set changes = meta.changes -%}
        {%- set changed = not changes
            or run_query('select count(*) from ' ~ changes).rows[0][0] > 0 -%}
        {%- do mark_load(name, how, changed) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{- keep_mark() -}}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# Once the transaction is through: the mark that it wrote is what the marks kept in `graph` say. #}
{% macro keep_mark() -%}
    {%- if graph.get('load_marks') and model.get('new_mark') -%}
        {%- do graph.load_marks.update({this.schema ~ '.' ~ this.identifier: model.new_mark}) -%}
    {%- endif -%}
{%- endmacro %}

{# Stops at a setting that replaced_relation would not keep. #}
{% macro refuse_dropped_settings() -%}
    {%- set given = [] -%}
    {%- for setting in [
        'grants', 'persist_docs', 'indexes', 'sql_header',
        'partitioned_by', 'partition_by', 'sorted_by', 'sort_by',
        'unique_key', 'incremental_strategy',
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

{% macro replaced_relation(kind, mark=none) %}
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
    {%- if mark -%}
        {%- do mark_load(mark) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{- keep_mark() -}}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}
