-- Lines, spend and baskets of silver's baskets are those of silver's lines.
with
lines as (
    select
        count(*) as line_count,
        count(distinct basket_id) as basket_count,
        sum(spend_amount) as spend_amount
    from {{ ref('silver_grocery_transactions') }}
),

baskets as (
    select
        sum(line_count) as line_count,
        count(*) as basket_count,
        sum(spend_amount) as spend_amount
    from {{ ref('silver_grocery_baskets') }}
)

select * from lines
except
select * from baskets
