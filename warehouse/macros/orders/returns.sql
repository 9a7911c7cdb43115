{# Matching returns to purchases, from rows (line_id, customer_id, order_id, product_id,
   is_return, unit_count, unit_price, moved_at) of a CTE named movements; unit_count is above 0
   for purchases and returns alike.

   What a customer holds of a product is a sum that never falls below 0: a unit that comes back
   when none is held was bought before the data begin. With X the plain running sum of units
   bought less units returned, and M the lowest that X or 0 has been, a return of q units finds
   q - (M before - M after) of them among the purchases (the reflected sum of Skorokhod, 1961,
   Stochastic equations for diffusion processes in a bounded region). So the units matched never
   exceed the units bought, whatever the order of lines. #}
{% macro return_matching_ctes() -%}
running as (
    select
        *,
        sum(case when is_return then -unit_count else unit_count end)
            over {{ order_of_movements() }} as running_unit_count,
        {{ last_given('case when not is_return then order_id end') }}
            over {{ order_of_movements() }} as purchase_order_id,
        {{ last_given('case when not is_return then moved_at end') }}
            over {{ order_of_movements() }} as purchased_at
    from movements
),

lowest as (
    select
        *,
        least(min(running_unit_count) over {{ order_of_movements() }}, 0) as lowest_unit_count
    from running
),

matched as (
    select
        *,
        unit_count - (
            lag(lowest_unit_count, 1, 0) over (
                partition by customer_id, product_id order by moved_at, is_return, line_id
            ) - lowest_unit_count
        ) as matched_unit_count
    from lowest
)
{%- endmacro %}

{# At one moment, purchases come before returns. #}
{% macro order_of_movements() -%}
    (
                partition by customer_id, product_id order by moved_at, is_return, line_id
                rows between unbounded preceding and current row
            )
{%- endmacro %}

{# Columns of a return, from the CTE matched. The purchase is the last one before the return. #}
{% macro matched_return_columns() -%}
        line_id as return_line_id,
        order_id as return_id,
        customer_id,
        product_id,
        case when matched_unit_count > 0 then purchase_order_id end as purchase_order_id,
        unit_count,
        cast(matched_unit_count as bigint) as matched_unit_count,
        unit_price,
        cast(matched_unit_count * unit_price as decimal(18, 2)) as matched_amount,
        case when matched_unit_count > 0 then {{ days_between('purchased_at', 'moved_at') }} end
            as days_to_return,
        moved_at as returned_at
{%- endmacro %}
