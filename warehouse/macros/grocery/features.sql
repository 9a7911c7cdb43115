{# The bodies of the CTEs that gold.grocery_customers and gold.grocery_stores share; `entity` is
   customer or store. They read CTEs named baskets, transactions, products and
   last_day. #}

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

{% macro basket_habits(entity) -%}
    select
        {{ entity }}_id,
        min(bought_on) as first_basket_on,
        max(bought_on) as last_basket_on,
        count(*) as basket_count,
        count(distinct bought_on) as visit_count,
        cast(sum(spend_amount) as double) as spend_amount,
        cast(sum(unit_count) as bigint) as unit_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(avg(spend_amount) as double) as basket_spend_mean,
        {{ spread('cast(spend_amount * 100 as bigint)') }} / 100 as basket_spend_spread,
        {%- for measure, column in [
            ('units', 'unit_count'), ('lines', 'line_count'), ('products', 'product_count'),
        ] %}
        avg({{ column }}) as basket_{{ measure }}_mean,
        {{ spread(column) }} as basket_{{ measure }}_spread,
        {%- endfor %}
        avg(department_count) as basket_departments_mean,
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
    group by {{ entity }}_id
{%- endmacro %}

{# Days between visits. Baskets of one day are one visit, so that a forgotten milk is no gap. #}
{% macro visit_gaps(entity) -%}
    select
        {{ entity }}_id,
        min(gap_days) as visit_gap_min_days,
        avg(gap_days) as visit_gap_mean_days,
        median(gap_days) as visit_gap_median_days,
        max(gap_days) as visit_gap_max_days,
        {{ spread('gap_days') }} as visit_gap_spread_days
    from (
        select
            {{ entity }}_id,
            {{ days_between(
                'lag(bought_on) over (partition by ' ~ entity ~ '_id order by bought_on)',
                'bought_on'
            ) }} as gap_days
        from (select distinct {{ entity }}_id, bought_on from baskets) as visits
    ) as gaps
    group by {{ entity }}_id
{%- endmacro %}

{# How many of the other side an entity meets, and the share of its baskets with the main one. #}
{% macro partners(entity, other) -%}
    select
        {{ entity }}_id,
        count(*) as {{ other }}_count,
        {{ share_of('max(basket_count)', 'sum(basket_count)') }} as main_{{ other }}_share
    from (
        select
            {{ entity }}_id,
            {{ other }}_id,
            count(*) as basket_count
        from baskets
        group by {{ entity }}_id, {{ other }}_id
    ) as pairs
    group by {{ entity }}_id
{%- endmacro %}

{# Lines and spend of each product for an entity. #}
{% macro products_bought(entity) -%}
    select
        {{ entity }}_id,
        product_id,
        count(*) as line_count,
        cast(sum(spend_amount) as decimal(18, 2)) as spend_amount
    from transactions
    group by {{ entity }}_id, product_id
{%- endmacro %}

{# The same by what its product is: category_id or department. #}
{% macro kinds_bought(entity, kind) -%}
    select
        products_bought.{{ entity }}_id,
        products.{{ kind }},
        cast(sum(products_bought.line_count) as bigint) as line_count,
        cast(sum(products_bought.spend_amount) as decimal(18, 2)) as spend_amount
    from products_bought
    left join products on products_bought.product_id = products.product_id
    group by products_bought.{{ entity }}_id, products.{{ kind }}
{%- endmacro %}

{# Diversity over the lines bought, loyalty over the money spent. #}
{% macro diversity(entity, prefix, kinds) -%}
    select
        {{ entity }}_id,
        {{ richness('line_count') }} as {{ prefix }}_richness,
        {{ shannon_entropy('line_count') }} as {{ prefix }}_shannon,
        {{ effective_count('line_count') }} as {{ prefix }}_effective_count,
        {{ simpson('line_count') }} as {{ prefix }}_simpson,
        {{ evenness('line_count') }} as {{ prefix }}_evenness,
        {{ herfindahl('spend_amount') }} as {{ prefix }}_loyalty
    from {{ kinds }}
    group by {{ entity }}_id
{%- endmacro %}

{# Shares of an entity's spend by department. A department that the source does not know is
   null, one where the entity bought nothing is 0. #}
{% macro department_shares(entity) -%}
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

{# The columns of basket_habits that gold passes on unchanged. #}
{% macro habit_columns() -%}
    {{ return([
        'visit_count', 'basket_count', 'line_count', 'unit_count', 'spend_amount',
        'basket_spend_mean', 'basket_spend_spread', 'basket_units_mean', 'basket_units_spread',
        'basket_lines_mean', 'basket_lines_spread', 'basket_products_mean',
        'basket_products_spread', 'basket_departments_mean',
        'discount_share', 'coupon_share', 'own_label_share',
        'weekday_share', 'weekend_share',
        'hour_morning_share', 'hour_midday_share', 'hour_afternoon_share', 'hour_evening_share',
        'hour_night_share',
        'format_ls_share', 'format_ms_share', 'format_ss_share', 'format_xls_share',
        'basket_size_s_share', 'basket_size_m_share', 'basket_size_l_share',
        'basket_type_full_shop_share', 'basket_type_small_shop_share', 'basket_type_top_up_share',
        'mission_fresh_share', 'mission_grocery_share', 'mission_mixed_share',
        'mission_nonfood_share',
        'price_sensitivity_la_share', 'price_sensitivity_mm_share', 'price_sensitivity_um_share',
    ]) }}
{%- endmacro %}

{# The feature columns of gold, from the CTEs above. #}
{% macro feature_columns(entity, other) -%}
        habits.first_basket_on,
        habits.last_basket_on,
        {{ days_between('habits.last_basket_on', 'last_day.last_on') }} as recency_days,
        {{ days_between('habits.first_basket_on', 'last_day.last_on') }} as tenure_days,
        -- At least one week, so that one basket on the last day is not seven a week.
        7.0 * habits.basket_count / greatest(
            {{ days_between('habits.first_basket_on', 'last_day.last_on') }} + 1, 7
        ) as baskets_per_week,
        {%- for column in habit_columns() %}
        habits.{{ column }},
        {%- endfor %}
        {%- for statistic in ['min', 'mean', 'median', 'max', 'spread'] %}
        gaps.visit_gap_{{ statistic }}_days,
        {%- endfor %}
        partners.{{ other }}_count,
        partners.main_{{ other }}_share,
        {%- for department in grocery_departments() %}
        department_shares.department_{{ department }}_share,
        {%- endfor %}
        {%- for level in ['product', 'category', 'department'] %}
        {%- set last_level = loop.last %}
        {%- for score in [
            'richness', 'shannon', 'effective_count', 'simpson', 'evenness', 'loyalty'
        ] %}
        {{ level }}_diversity.{{ level }}_{{ score }}{{ ',' if not (loop.last and last_level) }}
        {%- endfor %}
        {%- endfor %}
{%- endmacro %}
