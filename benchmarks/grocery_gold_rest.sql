-- The rest of gold by hand, after grocery_gold.sql: departments of each customer, life stages,
-- and the sample of each life stage as a table and as files in {samples}.

create or replace table hand_customer_departments as
select
    customer_id::varchar as customer_id,
    department,
    count(distinct basket_id) as basket_count,
    count(*) as line_count,
    sum(spend) as spend_amount,
    sum(spend) / sum(sum(spend)) over (partition by customer_id) as spend_share
from lines
group by customer_id, department;

create temp table life_stages as
with
answers as (
    select
        household_id,
        age,
        household_comp like '% Kids' and household_comp not like '%No Kids' as with_kids,
        coalesce(with_kids, false) or coalesce(kids_count <> '0', false) as has_children,
        household_comp is null and kids_count is null as is_silent
    from '{folder}/demographics.parquet'
)
select
    household_id::varchar as customer_id,
    case
        when age is null then 'XX'
        when is_silent then 'OT'
        when has_children and age in ('19-24', '25-34', '35-44') then 'YF'
        when has_children and age in ('45-54', '55-64') then 'OF'
        when has_children then 'OT'
        when age in ('19-24', '25-34') then 'YA'
        when age in ('35-44', '45-54', '55-64') then 'OA'
        when age = '65+' then 'PE'
        else 'OT'
    end as life_stage
from answers;

create or replace table hand_sample as
select *
from (
    select
        hand_customers.*,
        life_stage,
        row_number() over (
            partition by life_stage order by md5(customer_id || ':0'), customer_id
        ) as sample_rank
    from hand_customers
    join life_stages using (customer_id)
    where life_stage <> 'XX'
)
where sample_rank <= 50000;

copy (select * from hand_sample where life_stage = 'YA') to '{samples}/YA.csv';
copy (select * from hand_sample where life_stage = 'OA') to '{samples}/OA.csv';
copy (select * from hand_sample where life_stage = 'YF') to '{samples}/YF.csv';
copy (select * from hand_sample where life_stage = 'OF') to '{samples}/OF.csv';
copy (select * from hand_sample where life_stage = 'PE') to '{samples}/PE.csv';
copy (select * from hand_sample where life_stage = 'OT') to '{samples}/OT.csv';
copy (select * from hand_sample where life_stage = 'YA') to '{samples}/YA.parquet';
copy (select * from hand_sample where life_stage = 'OA') to '{samples}/OA.parquet';
copy (select * from hand_sample where life_stage = 'YF') to '{samples}/YF.parquet';
copy (select * from hand_sample where life_stage = 'OF') to '{samples}/OF.parquet';
copy (select * from hand_sample where life_stage = 'PE') to '{samples}/PE.parquet';
copy (select * from hand_sample where life_stage = 'OT') to '{samples}/OT.parquet';
