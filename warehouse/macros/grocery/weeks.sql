{# How the weeks of Sort-of-Real arrive. A build reads the files that are new or have changed, and
   carries what that touches down to gold:

   files -> baskets with a line in them -> customers and stores of those baskets

   Each relation on the way carries a mark, the comment of its table, written in the transaction
   that changes its rows: the version that it has, the one before, the version that it has taken in
   of the relation it follows, and what it was made with (the project's files and the variables). It
   takes in changes where its mark says that it is one version behind; where the mark is missing,
   older or made with something else, and with --full-refresh, it is made anew. There is no window:
   a line may come late by any time, and a file may be corrected or taken away at any time.

   What a load has touched is kept in schema loads until the next one.

   All this is DuckDB's. On Spark no week arrives by itself: each relation is a plain table that
   every build makes anew from all files, with the same rows. #}

{% macro arrives_weekly() -%}
    {{ return(var('grocery_source') == 'sort_of_real' and target.type == 'duckdb') }}
{%- endmacro %}

{% macro weekly(otherwise='table') -%}
    {{ return('incremental' if arrives_weekly() else otherwise) }}
{%- endmacro %}

{# Whose changes a relation takes in, and what else must have taken them in before. #}
{% macro weekly_flow() -%}
    {%- set raw = 'bronze.grocery_sort_of_real_transactions' -%}
    {%- set checked = 'silver.grocery_checked_lines' -%}
    {%- set customer_kinds = 'silver.grocery_int_customer_kinds' -%}
    {%- set store_kinds = 'silver.grocery_int_store_kinds' -%}
    {{ return({
        raw: {'follows': none, 'inputs': []},
        'bronze.grocery_sort_of_real_file_products': {'follows': raw, 'inputs': []},
        'bronze.grocery_sort_of_real_file_shoppers': {'follows': raw, 'inputs': []},
        'bronze.grocery_sort_of_real_file_shops': {'follows': raw, 'inputs': []},
        'silver.grocery_products': {
            'follows': raw, 'inputs': ['bronze.grocery_sort_of_real_file_products'],
        },
        'silver.grocery_stores': {
            'follows': raw, 'inputs': ['bronze.grocery_sort_of_real_file_shops'],
        },
        checked: {
            'follows': raw, 'inputs': ['silver.grocery_products', 'silver.grocery_stores'],
        },
        'silver.grocery_baskets': {'follows': checked, 'inputs': []},
        'silver.grocery_int_customer_kinds': {
            'follows': checked, 'inputs': ['silver.grocery_products'],
        },
        'silver.grocery_int_store_kinds': {
            'follows': checked, 'inputs': ['silver.grocery_products'],
        },
        'silver.grocery_int_customer_kind_sums': {'follows': customer_kinds, 'inputs': []},
        'silver.grocery_int_store_kind_sums': {'follows': store_kinds, 'inputs': []},
        'silver.grocery_customers': {
            'follows': checked,
            'inputs': ['silver.grocery_baskets', 'bronze.grocery_sort_of_real_file_shoppers'],
        },
        'gold.grocery_customers': {
            'follows': checked,
            'inputs': [
                'silver.grocery_customers', 'silver.grocery_int_customer_kinds',
                'silver.grocery_int_customer_kind_sums',
            ],
        },
        'gold.grocery_customer_basket_features': {
            'follows': checked, 'inputs': ['silver.grocery_customers'],
        },
        'gold.grocery_customer_departments': {
            'follows': checked, 'inputs': ['silver.grocery_baskets'],
        },
    }) }}
{%- endmacro %}

{# The marks of all relations by name, and under '' what this build makes them with. They are read
   once a build and kept in `graph`, which all nodes share: each query costs dbt as much as a week's
   lines. keep_mark brings them up to date. #}
{% macro load_marks() -%}
    {%- if 'load_marks' in graph -%}
        {{ return(graph.load_marks) }}
    {%- endif -%}
    {%- set marks = {} -%}
    {%- for name, mark in run_query(
        "select '', getvariable('project_state') union all"
        ~ " select schema_name || '.' || table_name, comment from duckdb_tables()"
        ~ " where database_name = current_database() and comment like '{%'"
    ).rows -%}
        {%- do marks.update({name: fromjson(mark, {}) if name else mark}) -%}
    {%- endfor -%}
    {%- set variables = tojson(invocation_args_dict.get('vars'), sort_keys=true) -%}
    {%- do marks.update({'': local_md5(marks[''] ~ variables)}) -%}
    {# Of two nodes that read them at once the first counts. #}
    {{ return(graph.setdefault('load_marks', marks)) }}
{%- endmacro %}

{# Inputs of a relation that do not have all that the one they follow has. #}
{% macro waiting_inputs(name, marks) -%}
    {%- set flow = weekly_flow() -%}
    {%- set waiting = [] -%}
    {%- for input in flow[name].inputs -%}
        {%- set version = marks.get(flow[input].follows, {}).get('version') -%}
        {%- if not version or marks.get(input, {}).get('taken') != version -%}
            {%- do waiting.append(input) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(waiting) }}
{%- endmacro %}

{# What a build does with a relation: everything, changes or nothing. #}
{% macro loading(name) -%}
    {%- if not (is_building() and arrives_weekly() and model.resource_type == 'model')
        or flags.FULL_REFRESH or leaves_out_undefined() -%}
        {{ return('everything') }}
    {%- endif -%}
    {%- set marks = load_marks() -%}
    {%- set own = marks.get(name, {}) -%}
    {%- if not own.get('version') or own.made_with != marks[''] -%}
        {{ return('everything') }}
    {%- endif -%}
    {%- set flow = weekly_flow()[name] -%}
    {%- if not flow.follows -%}
        {{ return('changes') }}
    {%- endif -%}
    {%- if waiting_inputs(name, marks) -%}
        {{ return('everything') }}
    {%- endif -%}
    {%- set followed = marks.get(flow.follows, {}) -%}
    {%- if own.taken == followed.get('version') -%}
        {# The attributes of products, stores and weeks may have changed without a line. #}
        {{ return('changes' if name == 'silver.grocery_checked_lines' else 'nothing') }}
    {%- endif -%}
    {{ return('changes' if own.taken and own.taken == followed.get('before') else 'everything') }}
{%- endmacro %}

{# Writes the mark of a relation, in the transaction that has changed it. `changed` is false where
   no row of it has: those that follow it need not look. #}
{% macro mark_load(name, how='everything', changed=true) -%}
    {%- if is_building() and arrives_weekly() and model.resource_type == 'model' -%}
        {%- set flow = weekly_flow()[name] -%}
        {%- set marks = load_marks() -%}
        {%- set own = marks.get(name, {}) if how == 'changes' else {} -%}
        {%- set followed = marks.get(flow.follows, {}) -%}
        {%- set taken = '' if waiting_inputs(name, marks) else followed.get('version', '') -%}
        {%- set mark = {
            'version': invocation_id if changed else own.version,
            'before': own.get('version', '') if changed else own.before,
            'taken': taken,
            'made_with': marks[''],
        } -%}
        {%- do run_query('comment on table ' ~ name ~ ' is ' ~ quoted(tojson(mark))) -%}
        {%- do model.update({'new_mark': mark}) -%}
    {%- endif -%}
{%- endmacro %}

{# A relation of baskets: of all customers, or of those whose gold row is made anew. The steps
   between are compiled before all that gold waits for is there, and so cannot know which; they
   hold a condition that is true of everyone, in whose place gold puts its own when it runs. #}
{% macro of_touched_customers(relation) -%}
    {%- if arrives_weekly() -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ every_customer() ~ ') as touched_rows') }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro every_customer() -%}
    {{ return("'every customer' is not null") }}
{%- endmacro %}

{# Begins a load: lists the raw files in loads.grocery_files_found, each new, changed, same or gone
   as against loads.grocery_files. Returns the paths to read. #}
{% macro files_to_read(folder, patterns, command) -%}
    {%- set anew = loading('bronze.grocery_sort_of_real_transactions') == 'everything' -%}
    {%- do run_query(
        'create schema if not exists loads;'
        ~ ' create table if not exists loads.grocery_files (path varchar, stamp varchar,'
        ~ ' checksum varchar, line_count bigint, loaded_at timestamp)'
    ) -%}
    {%- set loaded = [] -%}
    {%- if not anew -%}
        {%- set loaded = run_query('select path, stamp, checksum from loads.grocery_files').rows -%}
    {%- endif -%}
    {%- set full_patterns = [] -%}
    {%- for pattern in patterns -%}
        {%- do full_patterns.append(folder ~ '/' ~ pattern) -%}
    {%- endfor -%}
    {%- set paths = [] -%}
    {%- set there = [] -%}
    {%- set rows = [] -%}
    {%- for path, stamp, checksum, state in plugin_answer(
        'compared_files', {'patterns': full_patterns, 'loaded': loaded}
    ) -%}
        {%- do there.append(path) if state != 'gone' -%}
        {%- do paths.append(path) if state in ('new', 'changed') -%}
        {%- do rows.append(
            '(' ~ quoted(path) ~ ', ' ~ quoted(stamp) ~ ', ' ~ quoted(checksum) ~ ', '
            ~ quoted(state) ~ ')'
        ) -%}
    {%- endfor -%}
    {%- if not there -%}
        {{ exceptions.raise_compiler_error(
            folder ~ '/' ~ patterns | join(' or ') ~ ' is not there: get it with `' ~ command ~ '`'
        ) }}
    {%- endif -%}
    {%- do run_query(
        'create or replace table loads.grocery_files_found as select * from (values '
        ~ rows | join(', ') ~ ') as found (path, stamp, checksum, state)'
    ) -%}
    {{ return(paths) }}
{%- endmacro %}

{# What follows is one transaction with the model, which a load that fails undoes; run_query by
   itself begins none. #}
{% macro begin_load() -%}
    {%- call statement('begin_load', auto_begin=true) -%}
        select 'the load begins'
    {%- endcall -%}
{%- endmacro %}

{# Pre-hook of the lines as they came: the lines of files that have changed or gone are taken away,
   and the baskets that had them are noted. #}
{% macro forget_changed_files() -%}
    {%- if loading('bronze.grocery_sort_of_real_transactions') == 'changes' and files_have_changed() -%}
        {%- set changed -%}
            source_file in (
                select path from loads.grocery_files_found where state in ('changed', 'gone')
            )
        {%- endset -%}
        {{- begin_load() -}}
        {%- do run_query(
            'create or replace table loads.grocery_changed_files as'
            ~ " select path, state from loads.grocery_files_found where state <> 'same'"
        ) -%}
        {%- do run_query(
            "create or replace table loads.grocery_loaded_baskets as select distinct"
            ~ " coalesce(basket_id, '') as basket_id from " ~ this ~ ' where ' ~ changed
        ) -%}
        {%- do run_query('delete from ' ~ this ~ ' where ' ~ changed) -%}
    {%- endif -%}
{%- endmacro %}

{% macro files_have_changed() -%}
    {{ return(run_query(
        "select count(*) from loads.grocery_files_found where state <> 'same'"
    ).rows[0][0] > 0) }}
{%- endmacro %}

{# Post-hook of the lines as they came: notes the files and the baskets that have come. #}
{% macro note_loaded_files() -%}
    {%- if is_building() and arrives_weekly() -%}
        {%- set how = loading('bronze.grocery_sort_of_real_transactions') -%}
        {%- set read = "select path from loads.grocery_files_found where state in ('new', 'changed')" -%}
        {%- if how == 'changes' and files_have_changed() -%}
            {%- do run_query(
                "insert into loads.grocery_loaded_baskets select distinct coalesce(basket_id, '')"
                ~ ' from ' ~ this ~ ' where source_file in (' ~ read ~ ')'
            ) -%}
        {%- endif -%}
        {%- do run_query(
            'create or replace table loads.grocery_files as with counted as (select source_file,'
            ~ ' count(*) as line_count from ' ~ this ~ ' where source_file in (' ~ read ~ ') group by'
            ~ ' source_file) select found.path, found.stamp, found.checksum,'
            ~ " case when found.state = 'same' then loaded.line_count"
            ~ ' else coalesce(counted.line_count, 0) end as line_count,'
            ~ " case when found.state = 'same' then loaded.loaded_at else " ~ load_time()
            ~ ' end as loaded_at from loads.grocery_files_found as found'
            ~ ' left join loads.grocery_files as loaded on found.path = loaded.path'
            ~ ' left join counted on found.path = counted.source_file'
            ~ " where found.state <> 'gone'"
        ) -%}
    {%- endif -%}
{%- endmacro %}

{# Which lines a table of one row per file and thing reads: all, or those of the files that came. #}
{% macro of_changed_files(name) -%}
    {%- if loading(name) == 'changes' -%}
        where source_file in (select path from loads.grocery_changed_files)
    {%- endif -%}
{%- endmacro %}

{# Pre-hook of the checked lines: lists in loads.grocery_baskets_found the baskets to check again.
   Those with a line that came or went; those with a product, store or week whose attributes are
   others than were used; and those with a line that had not happened yet. #}
{% macro find_touched_baskets() -%}
    {%- if loading('silver.grocery_checked_lines') == 'changes' -%}
        {{- begin_load() -}}
        {%- do run_query(grocery_attributes_found()) -%}
        {%- set marks = load_marks() -%}
        {%- set raw = 'bronze.grocery_sort_of_real_transactions' -%}
        {%- set key = "select coalesce(basket_id, '') as basket_id from " -%}
        {%- set parts = [
            key ~ this ~ " where rejection_reason = 'date_impossible' and bought_at >= cast('"
            ~ var('grocery_first_possible_date') ~ "' as timestamp) and bought_at <= " ~ load_time()
        ] -%}
        {%- if marks['silver.grocery_checked_lines'].taken != marks[raw].version -%}
            {%- do parts.append('select basket_id from loads.grocery_loaded_baskets') -%}
        {%- endif -%}
        {%- for thing, column in [
            ('product', 'product_id'), ('store', 'store_id'), ('week', 'shop_week'),
        ] -%}
            {%- set changed -%}
                select coalesce(used.id, found.id) as id
                from loads.grocery_attributes_used as used
                full outer join loads.grocery_attributes_found as found
                    on used.thing = found.thing and used.id = found.id
                where coalesce(used.thing, found.thing) = '{{ thing }}'
                    and used.attributes is distinct from found.attributes
                    {# The lines of a new product or store are new themselves. #}
                    {%- if thing != 'week' %} and used.id is not null {%- endif %}
            {%- endset -%}
            {%- if run_query('select count(*) from (' ~ changed ~ ')').rows[0][0] -%}
                {%- do parts.append(key ~ raw ~ ' where ' ~ column ~ ' in (' ~ changed ~ ')') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do run_query(
            'create or replace table loads.grocery_baskets_found as ' ~ parts | join(' union ')
        ) -%}
        {%- do run_query(
            'create or replace temp table grocery_lines_before as '
            ~ lines_of_touched_baskets(changed_line_columns(-1) ~ ', rowid as row_before', this)
            ~ '; create or replace temp table grocery_lines_to_check as '
            ~ lines_of_touched_baskets('*', grocery_source('lines'))
        ) -%}
        {%- if baskets_are_touched() -%}
            {%- do run_query(
                'create or replace table loads.grocery_touched_baskets as'
                ~ ' select basket_id from loads.grocery_baskets_found'
            ) -%}
            {%- do run_query(moved_products()) -%}
            {%- do run_query(
                'create or replace table loads.grocery_changed_lines as'
                ~ ' select * exclude (row_before) from grocery_lines_before'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro baskets_are_touched() -%}
    {{ return(run_query('select count(*) from loads.grocery_baskets_found').rows[0][0] > 0) }}
{%- endmacro %}

{# The attributes of products, stores and weeks that lines and baskets are made with. #}
{% macro grocery_attributes_found() -%}
    create or replace table loads.grocery_attributes_found as
    select
        'product' as thing, product_id as id,
        cast(row(category_id, department, is_own_label, is_bulk) as varchar) as attributes,
        category_id, department
    from silver.grocery_products
    union all
    select 'store', store_id, coalesce(store_format, ''), null, null from silver.grocery_stores
    union all
    select
        'week', shop_week,
        string_agg(cast(row(started_on, ended_on) as varchar), ' ' order by started_on, ended_on),
        null, null
    from bronze.grocery_sort_of_real_weeks
    group by shop_week
{%- endmacro %}

{# Products that are of another category or department than before, with those of before. #}
{% macro moved_products() -%}
    create or replace table loads.grocery_moved_products as
    select used.id as product_id, used.category_id, used.department
    from loads.grocery_attributes_used as used
    left join loads.grocery_attributes_found as found
        on used.thing = found.thing and used.id = found.id
    where used.thing = 'product'
        and (used.category_id, used.department) is distinct from (found.category_id, found.department)
{%- endmacro %}

{# The lines of a relation that belong to touched baskets. Each line is asked for by its basket
   itself, so that whole parts of the table that hold none of them are not read. #}
{% macro lines_of_touched_baskets(columns, relation) -%}
    select {{ columns }} from {{ relation }}
    where basket_id in (select basket_id from loads.grocery_baskets_found)
    union all
    select {{ columns }} from {{ relation }}
    where basket_id is null
        and '' in (select basket_id from loads.grocery_baskets_found)
{%- endmacro %}

{# The columns of a line that count in sums, and how: 1 added, -1 taken away. #}
{% macro changed_line_columns(change) -%}
    {{ return(
        change ~ ' as change, customer_id, store_id, basket_id, product_id, spend_amount,'
        ~ ' rejection_reason is null as is_kept'
    ) }}
{%- endmacro %}

{# Post-hook of the checked lines: notes what has changed for those that follow. #}
{% macro note_touched_lines() -%}
    {%- if is_building() and arrives_weekly() -%}
        {%- if loading('silver.grocery_checked_lines') == 'everything' -%}
            {%- do run_query('create schema if not exists loads') -%}
            {%- do run_query(grocery_attributes_found()) -%}
        {%- elif baskets_are_touched() -%}
            {%- do run_query(
                'insert into loads.grocery_changed_lines select ' ~ changed_line_columns(1)
                ~ ' from coming_' ~ this.identifier
            ) -%}
            {%- do run_query(
                'create or replace table loads.grocery_touched_customers as select distinct'
                ~ ' customer_id from loads.grocery_changed_lines where customer_id is not null'
            ) -%}
            {%- do run_query(
                'create or replace table loads.grocery_recounted_customers as select distinct'
                ~ ' customer_id from loads.grocery_changed_lines where is_kept and change = -1'
            ) -%}
        {%- endif -%}
        {%- do run_query(
            'create or replace table loads.grocery_attributes_used as'
            ~ ' select * from loads.grocery_attributes_found'
        ) -%}
    {%- endif -%}
{%- endmacro %}

{# Post-hook of gold: the customers that a load has not touched are older by the days that have
   come; their other figures are the same. #}
{% macro age_untouched_customers() -%}
    {%- if loading('gold.grocery_customers') == 'changes' -%}
        {%- set last_on = '(select max(bought_on) from silver.grocery_baskets)' -%}
        {%- do run_query(
            'update ' ~ this ~ ' set recency_days = ' ~ days_between('last_basket_on', last_on)
            ~ ', tenure_days = ' ~ days_between('first_basket_on', last_on)
            ~ ', baskets_per_week = ' ~ baskets_per_week('basket_count', 'first_basket_on', last_on)
            ~ ' where tenure_days <> ' ~ days_between('first_basket_on', last_on)
        ) -%}
    {%- endif -%}
{%- endmacro %}

{# Lines that a customer's departments are counted from: all, or those that a load has added. Of a
   customer who lost a line, for what is counted by basket cannot be taken away, all of them. #}
{% macro lines_to_count() -%}
    {%- set lines = ref('silver_grocery_transactions') -%}
    {%- if loading('gold.grocery_customer_departments') != 'changes' -%}
        {{ return('select customer_id, basket_id, product_id, spend_amount from ' ~ lines) }}
    {%- endif -%}
    {%- set recounted = 'in (select customer_id from loads.grocery_recounted_customers)' -%}
    {%- set added -%}
        select customer_id, basket_id, product_id, spend_amount
        from loads.grocery_changed_lines
        where is_kept and change = 1 and customer_id not {{ recounted }}
    {%- endset -%}
    {%- if not run_query('select count(*) from loads.grocery_recounted_customers').rows[0][0] -%}
        {{ return(added) }}
    {%- endif -%}
    {{ return(
        added ~ ' union all select customer_id, basket_id, product_id, spend_amount from ' ~ lines
        ~ ' where customer_id ' ~ recounted
    ) }}
{%- endmacro %}

{# The departments of before that the added lines are counted onto; a double of pounds and pence is
   the decimal that it was made of. #}
{% macro departments_before() -%}
    {%- if loading('gold.grocery_customer_departments') == 'changes' %}
    union all
    select
        customer_id, department, basket_count, line_count,
        cast(spend_amount as decimal(18, 2)) as spend_amount
    from {{ this }}
    where customer_id in (select customer_id from loads.grocery_touched_customers)
        and customer_id not in (select customer_id from loads.grocery_recounted_customers)
    {%- endif %}
{%- endmacro %}

{# Lines and spend of each product, category and department, one row per entity and kind: of all
   lines, or what a load has changed added to what was there. #}
{% macro kinds_of_weeks(entity) -%}
{%- if loading('silver.grocery_int_' ~ entity ~ '_kinds') == 'changes' -%}
select
    {{ entity }}_id, level, kind, line_count,
    cast(spend_amount as decimal(18, 2)) as spend_amount
from loads.grocery_changed_{{ entity }}_kinds
where line_count > 0
{%- else -%}
{%- for level, things in product_levels().items() %}
select
    {{ entity }}_id,
    '{{ level }}' as level,
    {{ {'product': 'product_id', 'category': 'category_id'}.get(level, level) }} as kind,
    line_count,
    spend_amount
from {{ ref('silver_grocery_int_' ~ entity ~ '_' ~ things) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endif -%}
{%- endmacro %}

{# Pre-hook: the kinds that a load has changed, as they were and as they are. What was bought of a
   product that has moved goes from its old category and department to the new ones. #}
{% macro find_changed_kinds(entity) -%}
    {%- if loading('silver.grocery_int_' ~ entity ~ '_kinds') == 'changes' -%}
        {{- begin_load() -}}
        {%- set changed -%}
            create or replace table loads.grocery_changed_{{ entity }}_kinds as
            with bought as (
                select
                    {{ entity }}_id, product_id,
                    sum(change) as line_change, sum(change * spend_amount) as spend_change
                from loads.grocery_changed_lines
                where is_kept
                group by {{ entity }}_id, product_id
            ),
            moved as (
                select
                    kinds.{{ entity }}_id, moved.product_id, moved.category_id, moved.department,
                    kinds.line_count, kinds.spend_amount
                from {{ this }} as kinds
                inner join loads.grocery_moved_products as moved
                    on kinds.level = 'product' and kinds.kind = moved.product_id
            ),
            placed as (
                select bought.*, products.category_id, products.department
                from (
                    select * from bought
                    union all
                    select {{ entity }}_id, product_id, line_count, spend_amount from moved
                ) as bought
                left join silver.grocery_products as products
                    on bought.product_id = products.product_id
                union all
                select
                    {{ entity }}_id, product_id, -line_count, -spend_amount, category_id, department
                from moved
            ),
            changed as (
                select
                    {{ entity }}_id, level, kind,
                    sum(line_change) as line_change, sum(spend_change) as spend_change
                from (
                    select {{ entity }}_id, 'product' as level, product_id as kind, line_change, spend_change
                    from bought
                    union all
                    select {{ entity }}_id, 'category', category_id, line_change, spend_change from placed
                    union all
                    select {{ entity }}_id, 'department', department, line_change, spend_change from placed
                )
                group by {{ entity }}_id, level, kind
                having line_change <> 0 or spend_change <> 0
            )
            select
                changed.{{ entity }}_id, changed.level, changed.kind, kinds.rowid as row_before,
                coalesce(kinds.line_count, 0) as line_count_before,
                coalesce(kinds.spend_amount, 0) as spend_amount_before,
                cast(coalesce(kinds.line_count, 0) + changed.line_change as bigint) as line_count,
                cast(coalesce(kinds.spend_amount, 0) + changed.spend_change as decimal(18, 2))
                    as spend_amount
            from changed
            left join {{ this }} as kinds
                on changed.{{ entity }}_id = kinds.{{ entity }}_id and changed.level = kinds.level
                and changed.kind = kinds.kind
        {%- endset -%}
        {%- do run_query(changed) -%}
    {%- endif -%}
{%- endmacro %}

{# The sums that diversity is made of, one row per entity and level: of all kinds, or what a load
   has changed added to what was there. #}
{% macro kind_sums_of_weeks(entity) -%}
{%- if loading('silver.grocery_int_' ~ entity ~ '_kind_sums') == 'changes' -%}
with
rows_of_kinds as (
    select {{ entity }}_id, level, 1 as sign, line_count, spend_amount
    from loads.grocery_changed_{{ entity }}_kinds
    where line_count > 0
    union all
    select {{ entity }}_id, level, -1, line_count_before, spend_amount_before
    from loads.grocery_changed_{{ entity }}_kinds
    where line_count_before > 0
),

added as (
    select
        {{ entity }}_id,
        level,
        sum(sign) as kind_count,
        sum(sign * line_count) as line_total,
        sum(sign * line_count * line_count) as line_squares,
        sum(sign * cast(line_count * ln(line_count) as decimal(32, 15))) as line_log_weight,
        sum(sign * spend_amount) as spend_total,
        sum(sign * spend_amount * spend_amount) as spend_squares
    from rows_of_kinds
    group by {{ entity }}_id, level
    union all
    select {{ entity }}_id, level, kind_count, line_total, line_squares, line_log_weight,
        spend_total, spend_squares
    from {{ this }}
    where ({{ entity }}_id, level)
        in (select ({{ entity }}_id, level) from loads.grocery_changed_{{ entity }}_kinds)
)

select
    {{ entity }}_id,
    level,
    sum(kind_count) as kind_count,
    sum(line_total) as line_total,
    sum(line_squares) as line_squares,
    sum(line_log_weight) as line_log_weight,
    sum(spend_total) as spend_total,
    sum(spend_squares) as spend_squares
from added
group by {{ entity }}_id, level
having sum(kind_count) > 0
{%- else -%}
select
    {{ entity }}_id,
    level,
    {{ diversity_sums() }}
from {{ ref('silver_grocery_int_' ~ entity ~ '_kinds') }}
group by {{ entity }}_id, level
{%- endif -%}
{%- endmacro %}
