{# What the int_ models of customers and stores share, one macro an idea; `entity` is customer or
   store. #}

{% macro share_of(count, total) -%}
    cast({{ count }} as double) / nullif(cast({{ total }} as double), 0)
{%- endmacro %}

{# Shares of the entity's baskets that have each value of a column; baskets where it is null or
   'XX' are left out, so that the shares add up to 1 or are all null. #}
{% macro basket_shares(column, values, prefix) -%}
    {%- for value in values %}
        {{ share_of(
            "count(case when " ~ column ~ " = '" ~ value ~ "' then 1 end)",
            "count(case when " ~ column ~ " <> 'XX' then 1 end)"
        ) }} as {{ prefix }}_{{ value | lower | replace(' ', '_') }}_share{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Baskets of customers, or of stores: those of the customers whose gold row is made anew. #}
{% macro baskets_of(entity) -%}
    {%- set baskets = ref('silver_grocery_baskets') -%}
    {{ return(of_touched_customers(baskets) if entity == 'customer' else baskets) }}
{%- endmacro %}

{# At least one week, so that one basket on the last day is not seven a week. #}
{% macro baskets_per_week(basket_count, first_on, last_on) -%}
    7e0 * {{ basket_count }} / greatest({{ days_between(first_on, last_on) }} + 1, 7)
{%- endmacro %}

{# How often an entity has baskets, how large they are and of what kind: one row per entity. #}
{% macro basket_habits(entity) -%}
with
baskets as (select * from {{ baskets_of(entity) }}),

last_day as (select max(bought_on) as last_on from {{ ref('silver_grocery_baskets') }}),

habits as (
    select
        baskets.{{ entity }}_id,
        min(baskets.bought_on) as first_basket_on,
        max(baskets.bought_on) as last_basket_on,
        {{ days_between('max(baskets.bought_on)', 'max(last_day.last_on)') }} as recency_days,
        {{ days_between('min(baskets.bought_on)', 'max(last_day.last_on)') }} as tenure_days,
        {{ baskets_per_week(
            'count(*)', 'min(baskets.bought_on)', 'max(last_day.last_on)'
        ) }} as baskets_per_week,
        count(distinct baskets.bought_on) as visit_count,
        count(*) as basket_count,
        cast(sum(baskets.line_count) as bigint) as line_count,
        cast(sum(baskets.unit_count) as bigint) as unit_count,
        cast(sum(baskets.spend_amount) as double) as spend_amount,
        {{ mean_money('baskets.spend_amount') }} as basket_spend_mean,
        {{ spread('cast(baskets.spend_amount * 100 as bigint)') }} / 100 as basket_spend_spread,
        {%- for measure, column in [
            ('units', 'unit_count'), ('lines', 'line_count'), ('products', 'product_count'),
        ] %}
        avg(baskets.{{ column }}) as basket_{{ measure }}_mean,
        {{ spread('baskets.' ~ column) }} as basket_{{ measure }}_spread,
        {%- endfor %}
        avg(baskets.department_count) as basket_departments_mean,
        {{ share_of('sum(discount_amount)', 'sum(shelf_amount)') }} as discount_share,
        {{ share_of('sum(coupon_amount)', 'sum(shelf_amount)') }} as coupon_share,
        {{ share_of('sum(own_label_amount)', 'sum(spend_amount)') }} as own_label_share,
        {{ share_of('count(case when not is_weekend then 1 end)', 'count(*)') }} as weekday_share,
        {{ share_of('count(case when is_weekend then 1 end)', 'count(*)') }} as weekend_share,
        {{- basket_shares('hour_band', hour_bands(), 'hour') }},
        {{- basket_shares('store_format', ['LS', 'MS', 'SS', 'XLS'], 'format') }},
        {{- basket_shares('basket_size', ['S', 'M', 'L'], 'basket_size') }},
        {{- basket_shares('basket_type', ['Full Shop', 'Small Shop', 'Top Up'], 'basket_type') }},
        {{- basket_shares(
            'basket_mission', ['Fresh', 'Grocery', 'Mixed', 'Nonfood'], 'mission'
        ) }},
        {{- basket_shares('price_sensitivity', ['LA', 'MM', 'UM'], 'price_sensitivity') }}
    from baskets
    cross join last_day
    group by baskets.{{ entity }}_id
)

select * from habits
{%- endmacro %}

{# Days between visits, one row per entity. Baskets of one day are one visit, so that a forgotten
   milk is no gap. #}
{% macro visit_gaps(entity) -%}
with
visits as (
    select distinct
        {{ entity }}_id,
        bought_on
    from {{ baskets_of(entity) }}
),

visit_gaps as (
    select
        {{ entity }}_id,
        {{ days_between(
            'lag(bought_on) over (partition by ' ~ entity ~ '_id order by bought_on)', 'bought_on'
        ) }} as gap_days
    from visits
),

gaps as (
    select
        {{ entity }}_id,
        min(gap_days) as visit_gap_min_days,
        avg(gap_days) as visit_gap_mean_days,
        median(gap_days) as visit_gap_median_days,
        max(gap_days) as visit_gap_max_days,
        {{ spread('gap_days') }} as visit_gap_spread_days
    from visit_gaps
    group by {{ entity }}_id
)

select * from gaps
{%- endmacro %}

{# How many of the other side an entity meets, and the share of its baskets with the main one: one
   row per entity. #}
{% macro partners(entity, other) -%}
with
pairs as (
    select
        {{ entity }}_id,
        {{ other }}_id,
        count(*) as basket_count
    from {{ baskets_of(entity) }}
    group by {{ entity }}_id, {{ other }}_id
),

partners as (
    select
        {{ entity }}_id,
        count(*) as {{ other }}_count,
        {{ share_of('max(basket_count)', 'sum(basket_count)') }} as main_{{ other }}_share
    from pairs
    group by {{ entity }}_id
)

select * from partners
{%- endmacro %}

{# Lines and spend of each product, one row per entity and product. #}
{% macro products_bought(entity) -%}
with
transactions as (select * from {{ ref('silver_grocery_transactions') }})

select
    {{ entity }}_id,
    product_id,
    count(*) as line_count,
    cast(sum(spend_amount) as decimal(18, 2)) as spend_amount
from transactions
group by {{ entity }}_id, product_id
{%- endmacro %}

{# The same by what a product is, category_id or department: one row per entity and kind. #}
{% macro kinds_bought(entity, kind) -%}
with
products_bought as (select * from {{ ref('silver_grocery_int_' ~ entity ~ '_products') }}),

products as (select * from {{ ref('silver_grocery_products') }})

select
    products_bought.{{ entity }}_id,
    products.{{ kind }},
    cast(sum(products_bought.line_count) as bigint) as line_count,
    cast(sum(products_bought.spend_amount) as decimal(18, 2)) as spend_amount
from products_bought
left join products on products_bought.product_id = products.product_id
group by products_bought.{{ entity }}_id, products.{{ kind }}
{%- endmacro %}

{# What a product is, and where that is written. #}
{% macro product_levels() -%}
    {{ return({
        'product': 'products', 'category': 'categories', 'department': 'departments',
    }) }}
{%- endmacro %}

{# The sums that diversity is made of, from rows of one entity and kind. #}
{% macro diversity_sums() -%}
    {{ richness('line_count') }} as kind_count,
    sum(line_count) as line_total,
    sum(line_count * line_count) as line_squares,
    {{ log_weight('line_count') }} as line_log_weight,
    sum(spend_amount) as spend_total,
    sum(spend_amount * spend_amount) as spend_squares
{%- endmacro %}

{# Diversity over the lines bought, loyalty over the money spent, of products, categories and
   departments: one row per entity. #}
{% macro diversity(entity) -%}
with
{% for level, things in product_levels().items() -%}
{{ level }}_sums as (
    {%- if arrives_weekly() %}
    select * from {{ ref('silver_grocery_int_' ~ entity ~ '_kind_sums') }}
    where level = '{{ level }}'
    {%- else %}
    select
        {{ entity }}_id,
        {{ diversity_sums() | indent(4) }}
    from {{ ref('silver_grocery_int_' ~ entity ~ '_' ~ things) }}
    group by {{ entity }}_id
    {%- endif %}
),

{{ level }}_diversity as (
    select
        {{ entity }}_id,
        kind_count as {{ level }}_richness,
        {{ shannon_of_sums('line_total', 'line_log_weight') }} as {{ level }}_shannon,
        {{ effective_count_of_sums('line_total', 'line_log_weight') }} as {{ level }}_effective_count,
        {{ simpson_of_sums('line_total', 'line_squares') }} as {{ level }}_simpson,
        {{ evenness_of_sums('kind_count', 'line_total', 'line_log_weight') }} as {{ level }}_evenness,
        {{ herfindahl_of_sums('spend_total', 'spend_squares') }} as {{ level }}_loyalty
    from {{ level }}_sums
),

{% endfor -%}
diversity as (
    select
        product_diversity.*,
        {{ columns_but('category_diversity', entity ~ '_id') }},
        {{ columns_but('department_diversity', entity ~ '_id') }}
    from product_diversity
    inner join category_diversity
        on product_diversity.{{ entity }}_id = category_diversity.{{ entity }}_id
    inner join department_diversity
        on product_diversity.{{ entity }}_id = department_diversity.{{ entity }}_id
)

select * from diversity
{%- endmacro %}

{# Shares of an entity's spend by department, one row per entity. A department that the source does
   not know is null, one where the entity bought nothing is 0. #}
{% macro department_shares(entity) -%}
with
departments_bought as (
    {%- if arrives_weekly() %}
    select
        {{ entity }}_id,
        kind as department,
        spend_amount
    from {{ ref('silver_grocery_int_' ~ entity ~ '_kinds') }}
    where level = 'department'
    {%- else %}
    select * from {{ ref('silver_grocery_int_' ~ entity ~ '_departments') }}
    {%- endif %}
)

select
    {{ entity }}_id,
    {%- for department in grocery_departments() %}
    {%- if department in grocery_departments(var('grocery_source')) %}
    {{ share_of(
        "sum(case when department = '" ~ department ~ "' then spend_amount else 0 end)",
        'sum(spend_amount)'
    ) }} as department_{{ department }}_share
    {%- else %}
    cast(null as double) as department_{{ department }}_share
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
from departments_bought
group by {{ entity }}_id
{%- endmacro %}

{# The levels of what Sort-of-Real says of a basket and of its customer; 'XX', undefined, is none. #}
{% macro basket_levels() -%}
    {{ return({
        'basket_size': ['S', 'M', 'L'],
        'price_sensitivity': ['LA', 'MM', 'UM'],
        'basket_type': ['Full Shop', 'Small Shop', 'Top Up'],
        'basket_mission': ['Fresh', 'Grocery', 'Mixed', 'Nonfood'],
    }) }}
{%- endmacro %}

{# 1 where a column has the level, 0 where it has another or is undefined, null where the source does
   not have the column. #}
{% macro is_level(column, level) -%}
    case when {{ column }} = '{{ level }}' then 1 when {{ column }} is not null then 0 end
{%- endmacro %}

{# A level as part of a column's name. #}
{% macro level_name(level) -%}
    {{ return(level | lower | replace(' ', '_')) }}
{%- endmacro %}
