-- The gold tables of the Complete Journey as one would write them by hand, in one script: no
-- layers, no tests, ids as the file has them, nothing kept on the way.
-- {folder} is the folder of the parquet files.

create temp table products as
select
    product_id,
    coalesce(product_category, 'unknown') as category,
    brand = 'Private' as own_label,
    case
        when product_type = 'GASOLINE-REG UNLEADED' then 'fuel'
        else case department
            when 'GROCERY' then 'grocery' when 'FROZEN GROCERY' then 'grocery'
            when 'DRUG GM' then 'drug_and_general' when 'GM MERCH EXP' then 'drug_and_general'
            when 'HOUSEWARES' then 'drug_and_general' when 'TOYS' then 'drug_and_general'
            when 'FUEL' then 'fuel' when 'PRODUCE' then 'produce' when 'PROD-WHS SALES' then 'produce'
            when 'MEAT' then 'meat' when 'MEAT-PCKGD' then 'packaged_meat' when 'DELI' then 'deli'
            when 'PASTRY' then 'bakery' when 'NUTRITION' then 'nutrition'
            when 'SEAFOOD' then 'seafood' when 'SEAFOOD-PCKGD' then 'seafood'
            when 'FLORAL' then 'floral' when 'GARDEN CENTER' then 'floral'
            when 'COSMETICS' then 'cosmetics' when 'SALAD BAR' then 'prepared_food'
            when 'CHEF SHOPPE' then 'prepared_food' when 'RESTAURANT' then 'prepared_food'
            when 'SPIRITS' then 'spirits' else 'other'
        end
    end as department
from '{folder}/products.parquet';

create temp table raw_lines as select * from '{folder}/transactions.parquet';

create temp table lines as
with
bulk as (
    select product_id
    from raw_lines
    group by product_id
    having 2 * count(*) filter (where quantity >= 1000) >= count(*)
),
repeated as (
    select basket_id, product_id from raw_lines group by all having count(*) > 1
),
shared as (
    select basket_id
    from raw_lines
    group by basket_id
    having min(household_id) <> max(household_id) or min(store_id) <> max(store_id)
)
select
    household_id as customer_id,
    store_id,
    basket_id,
    product_id,
    coalesce(category, 'unknown') as category,
    coalesce(department, 'other') as department,
    own_label,
    if(department = 'fuel' or bulk.product_id is not null, 1, quantity) as units,
    sales_value as spend,
    retail_disc as discount,
    coupon_disc + coupon_match_disc as coupon,
    sales_value + retail_disc + coupon_match_disc as shelf,
    timezone('America/New_York', timezone('UTC', transaction_timestamp)) as paid_at
from raw_lines
left join products using (product_id)
left join bulk using (product_id)
where
    quantity > 0
    and sales_value > 0
    and transaction_timestamp between '1990-01-01' and now()::timestamp
    and basket_id not in (select basket_id from shared)
    and (basket_id, product_id) not in (select (basket_id, product_id) from repeated);

create temp table baskets as
select
    basket_id,
    any_value(customer_id) as customer_id,
    any_value(store_id) as store_id,
    count(*) as lines,
    count(distinct product_id) as products,
    count(distinct department) as departments,
    sum(units) as units,
    sum(spend) as spend,
    sum(discount) as discount,
    sum(coupon) as coupon,
    sum(shelf) as shelf,
    sum(if(own_label, spend, 0)) filter (where own_label is not null) as own_label,
    min(paid_at)::date as day,
    isodow(min(paid_at)) >= 6 as weekend,
    hour(min(paid_at)) as hour
from lines
group by basket_id;

create or replace table hand_customers as
with
last as (select max(day) as last_day from baskets),
habits as (
    select
        customer_id, min(day) as first_basket_on, max(day) as last_basket_on,
        count(distinct day) as visit_count, count(*) as basket_count, sum(lines) as line_count,
        sum(units) as unit_count, sum(spend) as spend_amount,
        avg(spend) as basket_spend_mean, stddev_pop(spend) as basket_spend_spread,
        avg(units) as basket_units_mean, stddev_pop(units) as basket_units_spread,
        avg(lines) as basket_lines_mean, stddev_pop(lines) as basket_lines_spread,
        avg(products) as basket_products_mean, stddev_pop(products) as basket_products_spread,
        avg(departments) as basket_departments_mean,
        sum(discount) / sum(shelf) as discount_share, sum(coupon) / sum(shelf) as coupon_share,
        sum(own_label) / sum(spend) as own_label_share,
        avg(if(weekend, 0, 1)) as weekday_share, avg(if(weekend, 1, 0)) as weekend_share,
        avg(if(hour between 6 and 10, 1, 0)) as hour_morning_share,
        avg(if(hour between 11 and 13, 1, 0)) as hour_midday_share,
        avg(if(hour between 14 and 17, 1, 0)) as hour_afternoon_share,
        avg(if(hour between 18 and 21, 1, 0)) as hour_evening_share,
        avg(if(hour >= 22 or hour < 6, 1, 0)) as hour_night_share
    from baskets
    group by customer_id
),
gaps as (
    select
        customer_id, min(gap) as visit_gap_min_days, avg(gap) as visit_gap_mean_days,
        median(gap) as visit_gap_median_days, max(gap) as visit_gap_max_days,
        stddev_pop(gap) as visit_gap_spread_days
    from (
        select
            customer_id, day - lag(day) over (partition by customer_id order by day) as gap
        from (select distinct customer_id, day from baskets)
    )
    group by customer_id
),
partners as (
    select
        customer_id, count(*) as store_count,
        max(baskets) / sum(baskets) as main_store_share
    from (select customer_id, store_id, count(*) as baskets from baskets group by all)
    group by customer_id
),
by_product as (
    select
        customer_id, product_id, any_value(category) as category,
        any_value(department) as department, count(*) as n, sum(spend) as spend
    from lines
    group by customer_id, product_id
),
by_category as (
    select customer_id, category, sum(n)::bigint as n, sum(spend) as spend
    from by_product
    group by all
),
by_department as (
    select customer_id, department, sum(n)::bigint as n, sum(spend) as spend
    from by_product
    group by all
),
product_scores as (
    select
        customer_id, count(*) as product_richness,
        ln(sum(n)) - sum(n * ln(n)) / sum(n) as product_shannon,
        exp(product_shannon) as product_effective_count,
        1 - sum(n * n) / sum(n) ** 2 as product_simpson,
        if(count(*) > 1, product_shannon / ln(count(*)), null) as product_evenness,
        sum(spend * spend) / sum(spend) ** 2 as product_loyalty
    from by_product
    group by customer_id
),
category_scores as (
    select
        customer_id, count(*) as category_richness,
        ln(sum(n)) - sum(n * ln(n)) / sum(n) as category_shannon,
        exp(category_shannon) as category_effective_count,
        1 - sum(n * n) / sum(n) ** 2 as category_simpson,
        if(count(*) > 1, category_shannon / ln(count(*)), null) as category_evenness,
        sum(spend * spend) / sum(spend) ** 2 as category_loyalty
    from by_category
    group by customer_id
),
department_scores as (
    select
        customer_id, count(*) as department_richness,
        ln(sum(n)) - sum(n * ln(n)) / sum(n) as department_shannon,
        exp(department_shannon) as department_effective_count,
        1 - sum(n * n) / sum(n) ** 2 as department_simpson,
        if(count(*) > 1, department_shannon / ln(count(*)), null) as department_evenness,
        sum(spend * spend) / sum(spend) ** 2 as department_loyalty
    from by_department
    group by customer_id
),
shares as (
    pivot (
        select
            customer_id, 'department_' || department || '_share' as share,
            spend / sum(spend) over (partition by customer_id) as part
        from by_department
    ) on share in (
        'department_grocery_share', 'department_drug_and_general_share',
        'department_produce_share', 'department_meat_share', 'department_packaged_meat_share',
        'department_deli_share', 'department_bakery_share', 'department_nutrition_share',
        'department_seafood_share', 'department_floral_share', 'department_cosmetics_share',
        'department_prepared_food_share', 'department_spirits_share', 'department_fuel_share',
        'department_other_share'
    ) using coalesce(sum(part), 0)
    group by customer_id
)
select
    customer_id::varchar as customer_id, * exclude (customer_id, last_day),
    last_day - last_basket_on as recency_days,
    last_day - first_basket_on as tenure_days,
    7.0 * basket_count / greatest(last_day - first_basket_on + 1, 7) as baskets_per_week
from habits
join gaps using (customer_id)
join partners using (customer_id)
join product_scores using (customer_id)
join category_scores using (customer_id)
join department_scores using (customer_id)
join shares using (customer_id)
cross join last;
