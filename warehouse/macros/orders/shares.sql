{# What part of a customer's lines and orders goes where: estimated shares, for every domain that
   has an order log. `sales` is as in history.sql, with unit_price and, where the domain has one,
   channel_id.

   A share is drawn towards that of all customers by the worth of a few lines or orders, as a
   Dirichlet prior does: (own + prior * share of all) / (all own + prior). Else a customer with one
   line would look as loyal to its category as one with a hundred. Source: I. J. Good (1965), The
   estimation of probabilities. #}

{% macro share_priors() -%}
    {{ return({'lines': 4, 'orders': 2}) }}
{%- endmacro %}

{# Parts with a smaller share of all lines or orders are joined as `other`. #}
{% macro least_part_share() -%}
    {{ return(0.01) }}
{%- endmacro %}

{% macro drawn_share(own, whole, share_of_all, prior) -%}
    ({{ own }} + {{ prior }} * {{ share_of_all }}) / ({{ whole }} + {{ prior }})
{%- endmacro %}

{# One row per customer and share: what (categories), when (weekend, hours, quarters of the year
   where the log covers one) and where (channels). A whole of one part tells nothing and is left
   out. #}
{% macro order_shares(sales, has_channels=false) -%}
{%- set priors = share_priors() -%}
with
sales as (select * from {{ sales }}),

orders as (
    select
        customer_id,
        order_id,
        {%- if has_channels %}
        min(channel_id) as channel_id,
        {%- endif %}
        min(ordered_at) as ordered_at
    from sales
    group by customer_id, order_id
),

covered as (
    select {{ days_between('min(ordered_at)', 'max(ordered_at)') }} + 1 as day_count
    from orders
),

-- One row per line or order with the part that it is of.
counted as (
    select
        customer_id,
        'category' as whole,
        {{ column_word('category_id') }} as part,
        {{ priors['lines'] }} as prior
    from sales
    union all
    select
        customer_id,
        'week' as whole,
        case when {{ weekday_number('ordered_at') }} > 5 then 'weekend' else 'workday' end as part,
        {{ priors['orders'] }} as prior
    from orders
    union all
    select
        customer_id,
        'hour' as whole,
        case
            when extract(hour from ordered_at) < 6 then 'night'
            when extract(hour from ordered_at) < 12 then 'morning'
            when extract(hour from ordered_at) < 18 then 'afternoon'
            else 'evening'
        end as part,
        {{ priors['orders'] }} as prior
    from orders
    union all
    select
        orders.customer_id,
        'quarter' as whole,
        cast(extract(quarter from orders.ordered_at) as string) as part,
        {{ priors['orders'] }} as prior
    from orders
    cross join covered
    where covered.day_count >= 365
    {%- if has_channels %}
    union all
    select
        customer_id,
        'channel' as whole,
        {{ column_word('channel_id') }} as part,
        {{ priors['orders'] }} as prior
    from orders
    {%- endif %}
),

part_counts as (
    select
        whole,
        part,
        count(*) as part_count,
        sum(count(*)) over (partition by whole) as whole_count
    from counted
    group by whole, part
),

parts as (
    select
        whole,
        part,
        case when part_count >= {{ least_part_share() }} * whole_count then part else 'other' end
            as named_part
    from part_counts
),

named_parts as (
    select
        parts.whole,
        parts.named_part,
        sum(part_counts.part_count) / min(part_counts.whole_count) as share_of_all,
        count(*) over (partition by parts.whole) as named_part_count
    from parts
    inner join part_counts on parts.whole = part_counts.whole and parts.part = part_counts.part
    group by parts.whole, parts.named_part
),

customer_wholes as (
    select
        customer_id,
        whole,
        prior,
        count(*) as whole_count
    from counted
    group by customer_id, whole, prior
),

customer_parts as (
    select
        counted.customer_id,
        counted.whole,
        parts.named_part,
        count(*) as part_count
    from counted
    inner join parts on counted.whole = parts.whole and counted.part = parts.part
    group by counted.customer_id, counted.whole, parts.named_part
),

shares as (
    select
        customer_wholes.customer_id,
        customer_wholes.whole,
        case
            when customer_wholes.whole = 'week' then named_parts.named_part || '_share'
            else customer_wholes.whole || '_' || named_parts.named_part || '_share'
        end as share_name,
        {{ drawn_share(
            'coalesce(customer_parts.part_count, 0)', 'customer_wholes.whole_count',
            'named_parts.share_of_all', 'customer_wholes.prior'
        ) }} as share
    from customer_wholes
    inner join named_parts on customer_wholes.whole = named_parts.whole
    left join customer_parts
        on customer_wholes.customer_id = customer_parts.customer_id
        and customer_wholes.whole = customer_parts.whole
        and named_parts.named_part = customer_parts.named_part
    where named_parts.named_part_count > 1
)

select * from shares
{%- endmacro %}

{# How a customer buys beside what: one row per customer. The price level compares each line's
   price with the category's, geometric mean over geometric mean, drawn to 1 by two lines. The hour
   of an order is drawn to that of all orders; the small hours, until 4, end the day before. #}
{% macro order_levels(sales, returns) -%}
{%- set prior = share_priors()['lines'] -%}
{%- set order_prior = share_priors()['orders'] -%}
with
sales as (select * from {{ sales }}),

returns as (select * from {{ returns }}),

category_prices as (
    select
        category_id,
        {{ exact_sum('ln(unit_price)') }} / count(*) as log_price
    from sales
    group by category_id
),

bought as (
    select
        sales.customer_id,
        count(*) as line_count,
        sum(sales.unit_count) as unit_count,
        {{ exact_sum('ln(sales.unit_price) - category_prices.log_price') }} as log_ratio,
        count(distinct sales.order_id) as order_count,
        {{ days_between('min(sales.ordered_at)', 'max(sales.ordered_at)') }} + 1 as active_days
    from sales
    inner join category_prices on sales.category_id = category_prices.category_id
    group by sales.customer_id
),

order_minutes as (
    select
        customer_id,
        order_id,
        (extract(hour from min(ordered_at)) + 20) % 24 * 60 + 240
        + extract(minute from min(ordered_at)) as minute_of_day
    from sales
    group by customer_id, order_id
),

order_hours as (
    select
        customer_id,
        sum(minute_of_day) / 60e0 as hour_sum
    from order_minutes
    group by customer_id
),

hour_of_all as (
    select sum(minute_of_day) / 60e0 / count(*) as order_hour
    from order_minutes
),

sent_back as (
    select
        customer_id,
        sum(matched_unit_count) as unit_count
    from returns
    group by customer_id
),

sent_back_share as (
    select
        {{ share_of(
            'coalesce((select sum(unit_count) from sent_back), 0)', 'sum(unit_count)'
        ) }} as share_of_all
    from bought
),

levels as (
    select
        bought.customer_id,
        7e0 * bought.order_count / greatest(bought.active_days, 30) as active_orders_per_week,
        exp(bought.log_ratio / (bought.line_count + 2)) as price_level,
        {{ drawn_share(
            'coalesce(sent_back.unit_count, 0)', 'bought.unit_count',
            'sent_back_share.share_of_all', prior
        ) }} as expected_return_share,
        (order_hours.hour_sum + {{ order_prior }} * hour_of_all.order_hour)
        / (bought.order_count + {{ order_prior }}) as order_hour_mean
    from bought
    inner join order_hours on bought.customer_id = order_hours.customer_id
    cross join hour_of_all
    cross join sent_back_share
    left join sent_back on bought.customer_id = sent_back.customer_id
)

select * from levels
{%- endmacro %}
