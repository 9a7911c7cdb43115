-- Every customer of bronze is in silver or named as rejected, every one of silver is in gold, and
-- every one of gold is in the sample or counted as left out of it. No layer has a customer twice.
with
bronze as (
    select count(distinct customer_id) as customer_count from {{ grocery_source('lines') }}
),

rejected as (select count(*) as customer_count from {{ ref('silver_grocery_rejected_customers') }}),

rejections as (
    select
        sum(case when left_out_of = 'silver.grocery_customers' then row_count end) as from_silver,
        sum(case when left_out_of = 'gold.grocery_lifestage_sample' then row_count end)
            as from_sample
    from {{ ref('silver_grocery_rejections') }}
    where entity = 'customer'
),

silver as (
    select
        count(*) as row_count,
        count(distinct customer_id) as customer_count
    from {{ ref('silver_grocery_customers') }}
),

gold as (
    select
        count(*) as row_count,
        count(distinct customer_id) as customer_count
    from {{ ref('gold_grocery_customers') }}
),

drawn as (
    select
        count(*) as row_count,
        count(distinct customer_id) as customer_count
    from {{ ref('gold_grocery_lifestage_sample') }}
),

counted as (
    select
        bronze.customer_count as bronze_count,
        silver.customer_count as silver_count,
        rejected.customer_count as rejected_count,
        gold.customer_count as gold_count,
        drawn.customer_count as drawn_count,
        rejections.from_silver,
        rejections.from_sample,
        silver.row_count + gold.row_count + drawn.row_count
        - silver.customer_count - gold.customer_count - drawn.customer_count as doubled_count
    from bronze, rejected, rejections, silver, gold, drawn
)

select * from counted
where
    bronze_count <> silver_count + rejected_count
    or rejected_count <> from_silver
    or silver_count <> gold_count
    or gold_count <> drawn_count + from_sample
    or doubled_count > 0
