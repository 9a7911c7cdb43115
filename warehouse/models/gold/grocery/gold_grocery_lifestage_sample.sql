{{ config(post_hook="{{ write_life_stage_files('grocery') }}") }}

with
customers as (select * from {{ ref('gold_grocery_customers') }}),

drawn as (
    select
        *,
        cast(row_number() over (
            partition by life_stage
            order by md5(concat(customer_id, ':{{ var("lifestage_sample_seed") }}')), customer_id
        ) as bigint) as sample_rank
    from customers
    where life_stage <> 'XX'
)

select * from drawn
where sample_rank <= {{ var('lifestage_sample_size') }}
