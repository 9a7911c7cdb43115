{# What a customer's orders show, one macro an idea, for every domain that has an order log: the
   domain's int_ models are one call each. They read two relations:

   sales    order_id, customer_id, product_id, category_id, unit_count, spend_amount, ordered_at;
            one row per line bought, units and spend above 0
   returns  return_id, customer_id, purchase_order_id, unit_count, matched_unit_count,
            matched_amount, days_to_return; one row per line that came back, by
            return_matching_ctes

   and `orders`, which orders_of makes of sales.

   Every figure is finite: each denominator is a count of orders, lines, days or months of which
   there is at least one, or spend, which is above 0. #}

{% macro recent_windows() -%}
    {{ return([30, 90, 180]) }}
{%- endmacro %}

{# Where a customer stands, by the days since the first order: new to 29, developing to 89,
   established to 269, long-standing from 270 on. #}
{% macro tenure_stage(days) -%}
    case
            when {{ days }} < 30 then 'new'
            when {{ days }} < 90 then 'developing'
            when {{ days }} < 270 then 'established'
            else 'long-standing'
        end
{%- endmacro %}

{# How even a customer's months are, by the coefficient of variation of their spend: steady to
   0.5, varying to 1, bursty above; single for one order, whose variation tells only how long ago
   it was. #}
{% macro stability_band(variation, order_count) -%}
    case
            when {{ order_count }} = 1 then 'single'
            when {{ variation }} <= 0.5 then 'steady'
            when {{ variation }} <= 1 then 'varying'
            else 'bursty'
        end
{%- endmacro %}

{# Daily spend of the last days over daily spend of all days since the first order: 1 = as ever,
   2 = twice as much. Where the customer is younger than the window, both are the same: 1. #}
{% macro recent_ratio(recent_spend, spend, window, observed_days) -%}
    (cast({{ recent_spend }} as double) / least({{ window }}, {{ observed_days }}))
        / (cast({{ spend }} as double) / {{ observed_days }})
{%- endmacro %}

{# Coefficient of variation (population) of n values with this sum and sum of squares, whole
   numbers: sqrt(n * squares - sum^2) / sum. Values that are not there are zeros. #}
{% macro variation_of(count, sum, squares) -%}
    sqrt(greatest(
            cast({{ count }} as double) * cast({{ squares }} as double)
            - cast({{ sum }} as double) * cast({{ sum }} as double), 0
        )) / cast({{ sum }} as double)
{%- endmacro %}

{# One row per order, with the last day of the data and the days to it. #}
{% macro orders_of(sales) -%}
with
sales as (select * from {{ sales }}),

last_day as (select cast(max(ordered_at) as date) as last_on from sales),

orders as (
    select
        customer_id,
        order_id,
        count(*) as line_count,
        cast(sum(unit_count) as bigint) as unit_count,
        cast(sum(spend_amount) as decimal(18, 2)) as spend_amount,
        min(ordered_at) as ordered_at,
        cast(min(ordered_at) as date) as ordered_on
    from sales
    group by customer_id, order_id
),

aged_orders as (
    select
        orders.*,
        last_day.last_on,
        {{ days_between('orders.ordered_on', 'last_day.last_on') }} as age_days
    from orders
    cross join last_day
)

select * from aged_orders
{%- endmacro %}

{# How often, how much and how lately a customer orders: one row per customer. #}
{% macro order_habits(orders) -%}
with
orders as (select * from {{ orders }}),

counted as (
    select
        customer_id,
        count(*) as order_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(unit_count) as bigint) as unit_count,
        cast(sum(spend_amount) as double) as spend_amount,
        {{ mean_money('spend_amount') }} as order_spend_mean,
        avg(line_count) as order_lines_mean,
        {{ share_of('sum(spend_amount)', 'sum(unit_count)') }} as unit_price_mean,
        min(age_days) as recency_days,
        max(age_days) as tenure_days,
        max(age_days) + 1 as observed_days,
        {%- for window in recent_windows() %}
        count(case when age_days < {{ window }} then 1 end) as recent_{{ window }}_order_count,
        cast(sum(case when age_days < {{ window }} then spend_amount else 0 end) as double)
            as recent_{{ window }}_spend_amount,
        {%- endfor %}
        min(ordered_on) as first_order_on,
        max(ordered_on) as last_order_on
    from orders
    group by customer_id
),

habits as (
    select
        customer_id,
        order_count,
        line_count,
        unit_count,
        spend_amount,
        order_spend_mean,
        order_lines_mean,
        unit_price_mean,
        recency_days,
        tenure_days,
        7e0 * order_count / greatest(observed_days, 7) as orders_per_week,
        {%- for window in recent_windows() %}
        recent_{{ window }}_order_count,
        {{ share_of('recent_' ~ window ~ '_spend_amount', 'spend_amount') }}
            as recent_{{ window }}_spend_share,
        {{ recent_ratio(
            'recent_' ~ window ~ '_spend_amount', 'spend_amount', window, 'observed_days'
        ) }} as recent_{{ window }}_ratio,
        {%- endfor %}
        first_order_on,
        last_order_on
    from counted
)

select * from habits
{%- endmacro %}

{# Days between visits, one row per customer. Orders of one day are one visit, so that an order sent
   in two parts is no gap of 0 days. #}
{% macro order_gaps(orders) -%}
with
visits as (
    select distinct
        customer_id,
        ordered_on
    from {{ orders }}
),

visit_gaps as (
    select
        customer_id,
        {{ days_between(
            'lag(ordered_on) over (partition by customer_id order by ordered_on)', 'ordered_on'
        ) }} as gap_days
    from visits
)

select
    customer_id,
    avg(gap_days) as order_gap_mean_days
from visit_gaps
group by customer_id
{%- endmacro %}

{# How even a customer's months are, one row per customer: every month from the first order's to the
   last of the data; months without an order are zeros. #}
{% macro order_months(orders) -%}
with
orders as (select * from {{ orders }}),

months as (
    select
        customer_id,
        date_trunc('month', ordered_on) as month_on,
        min(ordered_on) as first_order_on,
        min(last_on) as last_on,
        cast(sum(spend_amount) * 100 as bigint) as spend_cents
    from orders
    group by customer_id, date_trunc('month', ordered_on)
),

month_sums as (
    select
        customer_id,
        count(*) as active_month_count,
        {{ months_between('min(first_order_on)', 'min(last_on)') }} + 1 as month_count,
        sum(cast(spend_cents as double)) as spend_cents,
        sum(cast(spend_cents as double) * cast(spend_cents as double)) as squared_cents
    from months
    group by customer_id
)

select
    customer_id,
    {{ share_of('active_month_count', 'month_count') }} as active_month_share,
    {{ variation_of('month_count', 'spend_cents', 'squared_cents') }} as monthly_spend_variation
from month_sums
{%- endmacro %}

{# How many products a customer buys and how faithfully: one row per customer. #}
{% macro order_products(sales) -%}
with
products_bought as (
    select
        customer_id,
        product_id,
        count(distinct order_id) as order_count,
        cast(sum(spend_amount) as decimal(18, 2)) as spend_amount
    from {{ sales }}
    group by customer_id, product_id
)

select
    customer_id,
    count(*) as product_count,
    {{ share_of('count(case when order_count > 1 then 1 end)', 'count(*)') }}
        as repeat_product_share,
    max(order_count) as main_product_order_count,
    least({{ herfindahl('spend_amount') }}, 1) as product_loyalty
from products_bought
group by customer_id
{%- endmacro %}

{# How many of all the categories a customer buys and how evenly: one row per customer. #}
{% macro order_categories(sales) -%}
with
sales as (select * from {{ sales }}),

category_total as (select count(distinct category_id) as category_count from sales),

categories_bought as (
    select
        customer_id,
        category_id,
        count(*) as line_count,
        cast(sum(spend_amount) as decimal(18, 2)) as spend_amount
    from sales
    group by customer_id, category_id
),

diversity as (
    select
        customer_id,
        {{ richness('line_count') }} as category_count,
        {{ shannon_entropy('line_count') }} as category_shannon,
        least({{ herfindahl('spend_amount') }}, 1) as category_loyalty
    from categories_bought
    group by customer_id
)

select
    diversity.customer_id,
    diversity.category_count,
    {{ share_of('diversity.category_count', 'category_total.category_count') }} as category_share,
    diversity.category_shannon,
    diversity.category_loyalty
from diversity
cross join category_total
{%- endmacro %}

{# How many other lines lie within 14 days either side of a line, on average: one row per
   customer. #}
{% macro order_near_lines(sales) -%}
with
line_days as (
    select
        customer_id,
        order_id,
        {{ days_between("cast('2000-01-01' as date)", 'cast(ordered_at as date)') }} as day_number
    from {{ sales }}
),

near_lines as (
    select
        customer_id,
        count(*) over (
            partition by customer_id order by day_number
            range between 14 preceding and 14 following
        ) as near_count,
        count(*) over (partition by customer_id, order_id) as own_count
    from line_days
)

select
    customer_id,
    avg(near_count - 1) as near_lines_mean,
    avg(greatest(near_count - own_count, 0)) as near_other_order_lines_mean
from near_lines
group by customer_id
{%- endmacro %}

{# Orders in a row that something came back from, one row per customer with such an order. Places
   count every order, so that one that nothing came back from ends a run. #}
{% macro order_return_runs(orders, returns) -%}
with
orders as (select * from {{ orders }}),

returned_orders as (
    select distinct
        customer_id,
        purchase_order_id as order_id
    from {{ returns }}
    where purchase_order_id is not null
),

placed_orders as (
    select
        orders.customer_id,
        orders.order_id,
        returned_orders.order_id is not null as is_returned,
        row_number() over (
            partition by orders.customer_id order by orders.ordered_at, orders.order_id
        ) as place
    from orders
    left join returned_orders
        on orders.customer_id = returned_orders.customer_id
        and orders.order_id = returned_orders.order_id
),

run_orders as (
    select
        customer_id,
        place - row_number() over (partition by customer_id order by place) as run_number
    from placed_orders
    where is_returned
),

run_lengths as (
    select
        customer_id,
        run_number,
        count(*) as order_count
    from run_orders
    group by customer_id, run_number
)

select
    customer_id,
    max(order_count) as longest_return_run,
    sum(order_count) as returned_order_count,
    sum(order_count - 1) as consecutive_return_count
from run_lengths
group by customer_id
{%- endmacro %}

{# What a customer sends back, and how soon: one row per customer with a return. #}
{% macro order_returns(returns) -%}
with
returns as (select * from {{ returns }})

select
    customer_id,
    count(distinct return_id) as return_count,
    sum(matched_unit_count) as returned_unit_count,
    sum(unit_count - matched_unit_count) as unmatched_return_unit_count,
    sum(matched_amount) as returned_amount,
    avg(days_to_return) as days_to_return_mean
from returns
group by customer_id
{%- endmacro %}

{# The columns of gold, of the int_ models under the names of order_history_joins. #}
{% macro order_history_columns() -%}
        {{ tenure_stage('habits.tenure_days') }} as tenure_stage,
        {{ stability_band('months.monthly_spend_variation', 'habits.order_count') }}
            as stability_band,
        habits.order_count,
        habits.line_count,
        habits.unit_count,
        habits.spend_amount,
        habits.order_spend_mean,
        habits.order_lines_mean,
        habits.unit_price_mean,
        habits.recency_days,
        habits.tenure_days,
        habits.orders_per_week,
        gaps.order_gap_mean_days,
        {%- for window in recent_windows() %}
        habits.recent_{{ window }}_order_count,
        habits.recent_{{ window }}_spend_share,
        habits.recent_{{ window }}_ratio,
        {%- endfor %}
        months.active_month_share,
        months.monthly_spend_variation,
        products.product_count,
        products.repeat_product_share,
        {{ share_of('products.main_product_order_count', 'habits.order_count') }}
            as main_product_share,
        products.product_loyalty,
        categories.category_count,
        categories.category_share,
        categories.category_shannon,
        categories.category_loyalty,
        near_lines.near_lines_mean,
        near_lines.near_other_order_lines_mean,
        coalesce(returns.return_count, 0) as return_count,
        {{ share_of('coalesce(returns.return_count, 0)', 'habits.order_count') }}
            as returns_per_order,
        {{ share_of('coalesce(returns.returned_unit_count, 0)', 'habits.unit_count') }}
            as return_unit_share,
        -- What comes back can be worth more than it cost; no more than all of it counts.
        least(
            {{ share_of('coalesce(returns.returned_amount, 0)', 'habits.spend_amount') }}, 1
        ) as return_amount_share,
        {{ share_of('coalesce(return_runs.returned_order_count, 0)', 'habits.order_count') }}
            as returned_order_share,
        returns.days_to_return_mean,
        cast(coalesce(return_runs.longest_return_run, 0) as bigint) as longest_return_run,
        cast(coalesce(return_runs.consecutive_return_count, 0) as bigint)
            as consecutive_return_count,
        cast(coalesce(returns.unmatched_return_unit_count, 0) as bigint)
            as unmatched_return_unit_count,
        habits.first_order_on,
        habits.last_order_on
{%- endmacro %}

{% macro order_history_joins() -%}
    inner join gaps on habits.customer_id = gaps.customer_id
    inner join months on habits.customer_id = months.customer_id
    inner join products on habits.customer_id = products.customer_id
    inner join categories on habits.customer_id = categories.customer_id
    inner join near_lines on habits.customer_id = near_lines.customer_id
    left join return_runs on habits.customer_id = return_runs.customer_id
    left join returns on habits.customer_id = returns.customer_id
{%- endmacro %}
